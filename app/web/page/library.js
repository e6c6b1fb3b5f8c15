// Components without a build step: Preact, its hooks, and JSX-like templates by htm.

import { Component, Fragment, h, render } from "./vendor/preact.mjs";
import htm from "./vendor/htm.mjs";

export {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "./vendor/hooks.mjs";
export { Component, Fragment, render };

export const html = htm.bind(h);
