import { ERRORS, type ErrorDescription, JOB_STATES, type JobState } from '@wafleet/contract';

/** Names a job. */
export interface JobRef {
  readonly tenantId: string;
  readonly jobId: string;
}

/** A job that sends messages. Times are ms since 1970, by the clock of Redis. */
export interface JobRecord extends JobRef {
  readonly sessionId: string;
  readonly name?: string;
  readonly state: JobState;
  /** Messages per minute at most. */
  readonly pace?: number;
  readonly onError: 'continue' | 'stop';
  readonly createdAt: number;
  readonly at: number;
  readonly expiresAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** When it goes on, if it waits. */
  readonly nextAt?: number;
  readonly total: number;
  /** How many messages have a result. It is also the index of the next message. */
  readonly next: number;
  readonly sent: number;
  readonly failed: number;
  readonly unknown: number;
  /** Whether the next message is being sent. */
  readonly isSending: boolean;
  /** Why it waits. */
  readonly waitsFor?: ErrorDescription;
  /** Why it failed. */
  readonly error?: ErrorDescription;
}

/** What is stored of a message whose result is known. */
export interface StoredResult {
  readonly to: string;
  /** Undefined if there is no result. */
  readonly outcome?: {
    readonly state: 'sent' | 'failed' | 'unknown';
    /** ms since 1970. */
    readonly at: number;
    readonly error?: ErrorDescription;
  };
}

/** How long the JSON of a stored error may be. */
const MAX_ERROR_CHARACTERS = 512;

/** The JSON of an error. One with large details is stored without them. */
export function errorText({ code, message, details }: ErrorDescription): string {
  const text = JSON.stringify({ code, message, details });
  return text.length <= MAX_ERROR_CHARACTERS
    ? text
    : JSON.stringify({ code, message: message.slice(0, 200) });
}

/** Returns undefined for an empty text, and for one that another release or damage left. */
function readError(text: string | undefined): ErrorDescription | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const { code, message, details } = JSON.parse(text);
    if (!Object.hasOwn(ERRORS, code) || typeof message !== 'string') return undefined;
    return { code, message, ...(typeof details === 'object' && details !== null ? { details } : {}) };
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, string>>;

function numberIn(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Returns undefined if there is no job, or if its record cannot be read. */
export function readJob(ref: JobRef, fields: Fields): JobRecord | undefined {
  const number = (name: string) => numberIn(fields, name);
  const state = JOB_STATES.find((each) => each === fields.state);
  const [createdAt, at, expiresAt] = [number('createdAt'), number('at'), number('expiresAt')];
  const { session: sessionId, name } = fields;
  if (state === undefined || sessionId === undefined) return undefined;
  if (createdAt === undefined || at === undefined || expiresAt === undefined) return undefined;
  const waitedFor = readError(fields.waitedFor);
  const error = readError(fields.error);
  return {
    ...ref,
    sessionId,
    state,
    onError: fields.onError === 'stop' ? 'stop' : 'continue',
    createdAt,
    at,
    expiresAt,
    total: number('total') ?? 0,
    next: number('next') ?? 0,
    sent: number('sent') ?? 0,
    failed: number('failed') ?? 0,
    unknown: number('unknown') ?? 0,
    isSending: fields.sending === '1',
    ...defined({
      name: name === '' ? undefined : name,
      pace: number('pace'),
      startedAt: number('startedAt'),
      endedAt: number('endedAt'),
      nextAt: number('nextAt'),
      waitsFor: readError(fields.waitsFor),
      error: error && waitedFor ? { ...error, details: { waitedFor } } : error,
    }),
  };
}

type Defined<T> = { [N in keyof T]?: Exclude<T[N], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}

/** Reads an entry of the results: `to`, or `to`, state, time and error, separated by newlines. */
export function readResult(entry: string): StoredResult {
  const [to = '', state, at = '', error] = entry.split('\n');
  if (state !== 'sent' && state !== 'failed' && state !== 'unknown') return { to };
  if (!/^\d{1,15}$/.test(at)) return { to };
  const described = readError(error);
  return {
    to,
    outcome: { state, at: Number(at), ...(described === undefined ? {} : { error: described }) },
  };
}
