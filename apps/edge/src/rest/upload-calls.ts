import { type UploadedMedia, type uploadCalls, WafleetError } from '@wafleet/contract';
import type { SessionDirectory, UploadRecords } from '@wafleet/store';
import { sessionRefOf } from '../auth/session-ref.js';
import { type FileUploads, PREPARATION_MS } from '../sending/file-uploads.js';
import type { HandlersOf } from './calls.js';
import type { RequestFiles } from './request-files.js';

interface UploadCallResources {
  readonly sessions: Pick<SessionDirectory, 'require'>;
  readonly requestFiles: RequestFiles;
  readonly uploads: FileUploads;
  readonly uploadRecords: UploadRecords;
}

function uploadNotFound(): WafleetError {
  return new WafleetError('UPLOAD_NOT_FOUND', 'The session has no upload of this id, or it has expired.');
}

/** What clients see of an upload, besides its id, type and end. */
function shown({ mimetype, length, width, height, seconds }: UploadedMedia) {
  return {
    ...{ mimetype, bytes: length },
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(seconds === undefined ? {} : { seconds }),
  };
}

/** Files that are uploaded once and sent many times. */
export function uploadHandlers({
  sessions,
  requestFiles,
  uploads,
  uploadRecords: records,
}: UploadCallResources): HandlersOf<typeof uploadCalls> {
  return {
    'upload-file': async ({ params, body, request, reply, ids }) => {
      const ref = sessionRefOf(request, params);
      await sessions.require(ref);
      const { type, file: source } = body;
      const uploadId = `upl_${ids.bytes('upload').toString('base64url', 0, 18)}`;
      const { signal, received } = requestFiles.callOf(request, reply);
      const limited = AbortSignal.any([signal, AbortSignal.timeout(PREPARATION_MS)]);
      const media = await uploads.upload(ref, { type, source }, { signal: limited, received });
      return records.put(ref, { uploadId, type, ...shown(media) }, media);
    },
    'get-upload': async ({ params, request }) => {
      const ref = sessionRefOf(request, params);
      await sessions.require(ref);
      const upload = await records.get(ref, params.uploadId);
      if (upload === undefined) throw uploadNotFound();
      const { sealed: _, ...view } = upload;
      return view;
    },
    'delete-upload': async ({ params, request }) => {
      const ref = sessionRefOf(request, params);
      await sessions.require(ref);
      if (!(await records.delete(ref, params.uploadId))) throw uploadNotFound();
      return null;
    },
  };
}
