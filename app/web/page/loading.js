// Reads something whenever its key changes; what is no longer wanted is cancelled.

import { useCallback, useEffect, useState } from "./library.js";

/**
 * `{ value, error, loading, reload }` of `read(signal)`. While a new key loads, the old value stays
 * where `keep` is set. Nothing is read until `ready`.
 */
export function useLoading(read, key, { keep = false, ready = true } = {}) {
  const [state, setState] = useState({ loading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!ready) return undefined;
    const stop = new AbortController();
    setState((old) => ({ value: keep ? old.value : undefined, loading: true }));
    read(stop.signal).then(
      (value) => stop.signal.aborted || setState({ value, loading: false }),
      (error) => stop.signal.aborted || setState({ error, loading: false }),
    );
    return () => stop.abort();
  }, [key, round, ready]);
  const reload = useCallback(() => setRound((old) => old + 1), []);
  return { ...state, reload };
}
