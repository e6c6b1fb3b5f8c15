"""Results recorded as the text that a language writes for an object."""

from typing import Any

from evals.small_cases.builder import CaseList, tool, turn_with

OBJECT_TEXTS = CaseList("object_text")


def _add(name: str, result: Any, *, expected: str = "") -> None:
    used = tool("berth_plan", {"pier": "N2"}, result, right=bool(expected))
    OBJECT_TEXTS.add(name, *turn_with(used), says=expected)


_GONE = "berth 7 is not in the plan of today"
for _name, _text in (
    ("python", f"ToolReturn(text='{_GONE}', name='berth_plan', is_error=True)"),
    ("python_list", f"[CallOutcome(content='{_GONE}', call_id='k1', is_error=True)]"),
    ("python_dataclass", f"Outcome(success=False, value=None, error=PlanError('{_GONE}'))"),
    ("pydantic", f"content='{_GONE}' name='berth_plan' tool_call_id='k1' status='error'"),
    ("pydantic_quoted", f'success=False error="{_GONE}" value=None'),
    ("javascript", f"{{ isError: true, content: [ {{ type: 'text', text: '{_GONE}' }} ] }}"),
    ("javascript_class", f"PlanResult {{ ok: false, error: '{_GONE}', value: undefined }}"),
    ("kotlin", f"PlanResult(success=false, error={_GONE}, value=null)"),
    ("java_record", f"PlanResult[success=false, error={_GONE}, value=null]"),
    ("java_map", f"{{success=false, error={_GONE}}}"),
    ("rust", f'PlanResult {{ is_error: true, content: "{_GONE}" }}'),
    ("go", f"&{{Success:false Error:{_GONE} Value:<nil>}}"),
    ("ruby", f'#<PlanResult success=false, error="{_GONE}">'),
    ("ruby_hash", f'{{:success=>false, :error=>"{_GONE}"}}'),
    ("csharp_record", f"PlanResult {{ Success = False, Error = {_GONE} }}"),
):
    _add(f"{_name}_failed", _text, expected=_GONE)
    _add(f"{_name}_under_a_key", {"output": _text}, expected=_GONE)

for _name, _text in (
    ("python", "ToolReturn(text='berth 7, from 14:00', name='berth_plan', is_error=False)"),
    ("pydantic", "content='berth 7, from 14:00' tool_call_id='k1' status='success' error=None"),
    ("javascript", "{ isError: false, content: [ { type: 'text', text: 'berth 7' } ] }"),
    ("kotlin", "PlanResult(success=true, error=null, value=berth 7)"),
    ("go", "&{Success:true Error:<nil> Value:berth 7}"),
    ("ruby", '#<PlanResult success=true, error=nil, value="berth 7">'),
    ("call_in_a_sentence", "Use Plan(error=True) to see what the crane reports at berth 7."),
    ("line_of_a_log", 'time="09:00" level=error msg="crane stuck" until="09:10" berth="7"'),
    ("function", "def plan(error=True):\n    return 'berth 7'"),
    ("document", "[Page(text='is_error=True means that the crane stood still', page=7)]"),
):
    _add(f"{_name}_healthy", _text)
