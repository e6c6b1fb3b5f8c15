// The page: a list of traces, or one trace with its conversations.

import { followLinks, linkTo, useAddress } from "./address.js";
import { html, render, useEffect } from "./library.js";
import { TraceList } from "./list.js";
import { TraceView } from "./trace.js";

function App() {
  const address = useAddress();
  const { trace } = address;
  useEffect(() => {
    if (!trace) document.title = "Traces – OpikAssist";
  }, [trace]);
  return html`
    <a class="skip" href="#content">Skip to the content</a>
    ${trace && html`<a class="skip" href="#question">Skip to the question</a>`}
    <header class="top">
      <a class="brand" href=${linkTo({})}><span class="logo" aria-hidden="true"></span>OpikAssist</a>
      <span class="tagline">Ask about a trace</span>
    </header>
    <main id="content" tabindex="-1" class=${trace ? "one" : "many"}>
      ${trace
        ? html`<${TraceView} key=${trace} id=${trace} address=${address} />`
        : html`<${TraceList} address=${address} />`}
    </main>
  `;
}

followLinks();
const place = document.querySelector("#app");
place.replaceChildren();
render(html`<${App} />`, place);
