import { REPLAYED_HEADER, type RestCall, WafleetError } from '@wafleet/contract';
import type { IdempotencyRecords } from '@wafleet/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import { type CallIds, randomIds } from './call-ids.js';
import { keepAnswer, readKeptAnswer, type Success } from './kept-answer.js';
import { type KeyedRequest, readKeyedRequest } from './keyed-request.js';
import { errorMeans } from './what-an-error-means.js';

const HEADER = 'idempotency-key';

/** How long a call takes at most, from its beginning to the deadline of its command. */
const DEADLINE_MS = 15_000;
/**
 * What a claim holds beyond the deadline: a command waits for up to 8 s for a session that moves, and Redis may take
 * some seconds.
 */
const MARGIN_MS = 15_000;
/** When to ask again for the answer of a call that is being carried out. */
const RETRY_AFTER_MS = 1_000;

interface Call {
  readonly call: RestCall;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly deadlineMs?: number | undefined;
  /** What distinguishes the request from another one besides its parameters and body. */
  readonly also?: string | undefined;
}

/** Carries out calls with an `Idempotency-Key`, once for each key. */
export class IdempotentCalls {
  readonly #records: IdempotencyRecords;

  constructor(records: IdempotencyRecords) {
    this.#records = records;
  }

  /**
   * Carries out a call that was validated, and resolves with its body, or with the reply if that was sent. With a key, a
   * call that has ended is not carried out again: its answer is given again, with `Idempotency-Replayed: true`. An edge
   * that dies leaves a claim that ends by itself. A retry then acts, with the same ids.
   * @param act carries it out. It sends no reply by itself if the call takes a key.
   * @throws {WafleetError} IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_ANSWER_NOT_KEPT,
   * TOO_MANY_IDEMPOTENCY_KEYS, and UNAVAILABLE if Redis does not answer: nothing was done; the errors of `act`.
   */
  async run(
    { call, request, reply, deadlineMs = DEADLINE_MS, also }: Call,
    act: (ids: CallIds) => Promise<unknown>,
  ): Promise<unknown> {
    const key = request.headers[HEADER];
    if (typeof key !== 'string') return act(randomIds());
    const keyed = readKeyedRequest(key, { call, request, also });
    const claim = await this.#records.claim(keyed.record, keyed.fingerprint, deadlineMs + MARGIN_MS);
    switch (claim.outcome) {
      case 'claimed':
        return this.#act(keyed, claim.token, { request, reply }, act);
      case 'done':
        return replay(claim.answer, reply);
      case 'running':
        throw inProgress(claim.forMs);
      case 'reused':
        throw reused();
    }
  }

  async #act(
    keyed: KeyedRequest,
    token: string,
    { request, reply }: Pick<Call, 'request' | 'reply'>,
    act: (ids: CallIds) => Promise<unknown>,
  ): Promise<unknown> {
    const { record, ids } = keyed;
    // A failure here changes no answer: the claim ends by itself, and a retry then acts with the same ids.
    const noted = (noting: Promise<unknown>) =>
      noting.catch((error: unknown) => {
        request.log.warn({ err: error }, 'the outcome of a call with an idempotency key could not be stored');
      });
    try {
      const body = await act(ids);
      if (body === reply)
        throw new Error('a call that takes an idempotency key has sent its reply by itself');
      await noted(this.#records.finish(record, token, keepAnswer(successOf(reply, body))));
      return body;
    } catch (error) {
      const known = toWafleetError(error, request.log);
      // Any other error, such as of Redis, may have come when something was done already.
      const meaning = error instanceof WafleetError ? errorMeans(known) : 'unknown';
      await noted(
        meaning === 'final'
          ? this.#records.finish(record, token, keepAnswer(known))
          : this.#records.release(record, token, { mayHaveActed: meaning === 'unknown' }),
      );
      throw known;
    }
  }
}

/** Refuses requests with a key, for calls that take none. Runs before the body is read. */
export async function refuseIdempotencyKey({ headers }: FastifyRequest): Promise<void> {
  if (headers[HEADER] === undefined) return;
  throw new WafleetError(
    'IDEMPOTENCY_NOT_SUPPORTED',
    'This call takes no Idempotency-Key, because its answer is secret and is not stored.',
  );
}

function successOf(reply: FastifyReply, body: unknown): Success {
  const location = reply.getHeader('location');
  return { status: reply.statusCode, ...(typeof location === 'string' ? { location } : {}), body };
}

function replay(text: string, reply: FastifyReply): unknown {
  reply.header(REPLAYED_HEADER, 'true');
  const { status, location, body } = readKeptAnswer(text);
  reply.code(status);
  if (location !== undefined) reply.header('location', location);
  return body;
}

function inProgress(forMs: number): WafleetError {
  return new WafleetError(
    'IDEMPOTENCY_IN_PROGRESS',
    'A request with this Idempotency-Key is being carried out.',
    { retryAfterMs: Math.min(forMs, RETRY_AFTER_MS) },
  );
}

function reused(): WafleetError {
  return new WafleetError(
    'IDEMPOTENCY_KEY_REUSED',
    'Another request with other fields had this Idempotency-Key. Use a new key for each thing to be done.',
  );
}
