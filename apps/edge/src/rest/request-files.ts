import type { SessionDirectory } from '@wafleet/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sessionRefOf } from '../auth/session-ref.js';
import type { FileCall } from '../sending/file-uploads.js';
import type { FileReceiver } from '../sending/received-file.js';
import { onAnswerEnd } from './answer-end.js';
import { type ClientSignalResources, clientSignal } from './client-signal.js';
import { incomingFileOf } from './file-bodies.js';

interface RequestFilesResources extends ClientSignalResources {
  readonly sessions: Pick<SessionDirectory, 'require'>;
  readonly receiver: FileReceiver;
}

/** Receives the files of requests before the calls are carried out: what a request asks for depends on its file too. */
export class RequestFiles {
  readonly #resources: RequestFilesResources;
  readonly #calls = new WeakMap<FastifyRequest, FileCall>();

  constructor(resources: RequestFilesResources) {
    this.#resources = resources;
  }

  /**
   * Receives the file of a request that was validated, if it has one. The file is closed when the request is answered.
   * @returns what distinguishes the file from others, for the fingerprint of the request: its SHA-256 in base64url.
   * @throws {WafleetError} SESSION_NOT_FOUND, and as `FileReceiver.receive`.
   */
  async receive(request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> {
    const file = incomingFileOf(request);
    if (file === undefined) return undefined;
    const { sessions, receiver } = this.#resources;
    const ref = sessionRefOf(request, request.params as { readonly id: string });
    await sessions.require(ref);
    const signal = clientSignal(request, reply, this.#resources);
    const received = await receiver.receive(ref.tenantId, file, signal);
    onAnswerEnd(reply, () => void received.close());
    this.#calls.set(request, { signal, received });
    return received.sha256;
  }

  /** What the files of a request are prepared with. @throws {WafleetError} UNAUTHORIZED if the key was revoked. */
  callOf(request: FastifyRequest, reply: FastifyReply): FileCall {
    return this.#calls.get(request) ?? { signal: clientSignal(request, reply, this.#resources) };
  }
}
