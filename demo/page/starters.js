// Questions to begin with, by the state of the trace, where the service suggests none.

/** Three or four questions for a trace and its spans. */
export function startersFor(trace, spans) {
  const failed = Boolean(trace.error_info) || spans.some((span) => span.error_info);
  const questions = failed
    ? ["What caused this error?", "What happened before it failed?"]
    : ["What happened in this trace?"];
  if (!trace.end_time) questions.push("Why has this trace not ended?");
  if (spans.length > 1) questions.push("Where did the time go?");
  if (trace.total_estimated_cost) questions.push("What cost the most, and could it be cheaper?");
  questions.push(failed ? "How can I fix it?" : "Does anything here look wrong?");
  return questions.slice(0, 4);
}
