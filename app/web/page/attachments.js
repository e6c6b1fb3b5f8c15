// The files of a trace or span: images are shown, everything can be saved.

import * as api from "./api.js";
import { Icon, Notice } from "./controls.js";
import { formatSize } from "./format.js";
import { html, useEffect, useState } from "./library.js";
import { useLoading } from "./loading.js";
import { saveFile } from "./save.js";

const SHOWN_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const SHOWN_BYTES = 5_000_000; // a larger image is only shown when it is saved

export function Attachments({ traceId, spanId, projectId }) {
  const place = { project_id: projectId, span_id: spanId };
  const { value: files } = useLoading(
    (signal) => (projectId ? api.listAttachments(traceId, place, signal) : Promise.resolve([])),
    `${projectId} ${spanId ?? traceId}`,
  );
  if (!files?.length) return null;
  return html`
    <h3>Attachments</h3>
    <ul class="attachments">
      ${files.map((file) => html`<${Attachment} key=${file.file_name} file=${file} traceId=${traceId} place=${place} />`)}
    </ul>
  `;
}

function Attachment({ file, traceId, place }) {
  const [error, setError] = useState(null);
  const read = () => api.readAttachment(traceId, { ...place, file_name: file.file_name });
  const save = () =>
    read().then(
      (blob) => saveFile(blob, file.file_name),
      (failure) => setError(failure),
    );
  const isImage = SHOWN_TYPES.includes(file.mime_type) && !(file.file_size > SHOWN_BYTES);
  return html`
    <li>
      ${isImage && html`<${Picture} read=${read} name=${file.file_name} />`}
      <button type="button" class="file" onClick=${save}>
        <${Icon} name="attachment" />
        <span>${file.file_name}</span>
        <small>${[file.mime_type, formatSize(file.file_size)].filter(Boolean).join(", ")}</small>
      </button>
      ${error && html`<${Notice} bad>${api.describeError(error)}<//>`}
    </li>
  `;
}

function Picture({ read, name }) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    let made = null;
    let wanted = true;
    read().then((blob) => {
      if (wanted) setUrl((made = URL.createObjectURL(blob)));
    }, () => {});
    return () => {
      wanted = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, []);
  return url && html`<img src=${url} alt=${name} loading="lazy" />`;
}
