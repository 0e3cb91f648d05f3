import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import { WafleetError } from '@wafleet/contract';
import type { IncomingFile } from '../sending/received-file.js';

const FILE_PART = 'file';
/** A JSON part is as large as a body of JSON without files may be. */
const LIMITS = { fieldNameSize: 100, headerPairs: 20, headerSize: 8 * 1024, files: 1, fields: 1, parts: 3 };

/** A request whose first part was read, and whose second one is a file that waits to be read. */
export interface MultipartBody {
  /** The text of the first part. */
  readonly json: string;
  readonly file: IncomingFile;
}

interface MultipartOptions {
  /** The name of the part with JSON. */
  readonly part: string;
  /** How long that part may be, bytes. */
  readonly maxJsonBytes: number;
}

/**
 * Reads a request of `multipart/form-data`: first the part with JSON, then the part `file`, and nothing else. Resolves when
 * the file begins. The rest of the request is held back until the file is read; the file fails if the request breaks off
 * or is malformed.
 * @throws {WafleetError} VALIDATION_FAILED, PAYLOAD_TOO_LARGE.
 */
export function readMultipart(
  request: IncomingMessage,
  payload: Readable,
  { part, maxJsonBytes }: MultipartOptions,
): Promise<MultipartBody> {
  const { headers } = request;
  const parser = parserOf({ ...headers, 'content-type': headers['content-type'] ?? '' }, maxJsonBytes);
  if (parser === undefined) return Promise.reject(invalid('The body is not valid multipart/form-data.'));
  let content: Readable | undefined;
  let complete: () => void = () => {};
  let failComplete: (error: WafleetError) => void = () => {};
  const completed = new Promise<void>((resolve, reject) => {
    complete = resolve;
    failComplete = reject;
  });
  // The request can be refused before its file is read, and then no one waits for this.
  completed.catch(() => {});

  return new Promise((resolve, reject) => {
    let json: string | undefined;
    const fail = (error: WafleetError) => {
      payload.unpipe(parser);
      failComplete(error);
      content?.destroy(error);
      reject(error);
    };
    parser.on('field', (name, value, isNameCut, isValueCut) => {
      if (content !== undefined) fail(invalid('Nothing may follow the part `file`.'));
      else if (name !== part || isNameCut) fail(invalid(`The parts must be \`${part}\` and \`file\`.`));
      else if (isValueCut) fail(new WafleetError('PAYLOAD_TOO_LARGE', `The part \`${part}\` is too large.`));
      else json = value;
    });
    parser.on('file', (_name, stream, _fileName, _encoding, mimetype) => {
      stream.on('error', () => {});
      if (json === undefined) {
        stream.resume();
        fail(invalid(`The part \`${part}\` must come before the part \`file\`.`));
        return;
      }
      content = stream;
      resolve({ json, file: { content: stream, complete: completed, mimetype: mimetype || undefined } });
    });
    for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) {
      parser.on(limit, () => fail(invalid(`The parts \`${part}\` and \`file\` may come once.`)));
    }
    parser.on('error', () => fail(invalid('The body is not valid multipart/form-data.')));
    parser.on('finish', () => {
      if (content === undefined) fail(invalid('The request has no part `file`.'));
      else complete();
    });
    payload.on('error', () => fail(closedEarly()));
    payload.on('close', () => {
      if (!request.complete) fail(closedEarly());
    });
    payload.pipe(parser);
  });
}

function parserOf(headers: { 'content-type': string }, fieldSize: number) {
  try {
    const isPartAFile = (name: string | undefined) => name === FILE_PART;
    return new Busboy({ headers, isPartAFile, limits: { ...LIMITS, fieldSize } });
  } catch {
    return undefined;
  }
}

function invalid(message: string): WafleetError {
  return new WafleetError('VALIDATION_FAILED', message);
}

/** The error of a request that breaks off. Its client does not see it. */
export function closedEarly(): WafleetError {
  return invalid('The connection was closed before the whole request was there.');
}
