// Follows an answer as it grows, until the reader scrolls elsewhere.

import { useCallback, useEffect, useRef, useState } from "./library.js";

const NEAR_PX = 60; // this close to the end counts as being there
const TOP_PX = 16; // above a question that is scrolled to

/** `{ away, start }`: whether the reader has left the end, and how to go back to it. */
export function useFollowing(box, conversation) {
  const follows = useRef(true);
  const [away, setAway] = useState(false);
  const toEnd = useCallback(() => {
    const element = box.current;
    if (follows.current) element.scrollTop = element.scrollHeight;
    setAway(!follows.current && distance(element) > NEAR_PX);
  }, []);
  useEffect(() => {
    const element = box.current;
    let height = element.scrollTop;
    const onScroll = () => {
      const up = element.scrollTop < height - 1;
      height = element.scrollTop;
      // Content that grows moves nothing: only the reader scrolls up.
      if (up) follows.current = false;
      if (distance(element) <= NEAR_PX) follows.current = true;
      setAway(!follows.current);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    const grown = new MutationObserver(toEnd);
    grown.observe(element, { childList: true, subtree: true, characterData: true });
    return () => {
      element.removeEventListener("scroll", onScroll);
      grown.disconnect();
    };
  }, []);
  useEffect(() => {
    const element = box.current;
    const last = element.querySelector(".turn:last-of-type");
    follows.current = false;
    // An answer that was written before is read from its question on.
    if (last) element.scrollTop = last.offsetTop - TOP_PX;
  }, [conversation, conversation.loaded]);
  const start = useCallback(() => {
    follows.current = true;
    toEnd();
  }, []);
  return { away, start };
}

const distance = ({ scrollHeight, clientHeight, scrollTop }) => scrollHeight - clientHeight - scrollTop;
