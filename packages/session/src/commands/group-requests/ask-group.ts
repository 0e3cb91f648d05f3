import { type ErrorCode, WafleetError } from '@wafleet/contract';
import type { BinaryNode, WASocket } from '@whiskeysockets/baileys';
import { answerInTime } from '../answer-in-time.js';
import { fromBaileys, refusalCode, whatsAppRefused } from '../baileys-errors.js';

/** Why WhatsApp refuses requests about groups, by code; only codes with a known meaning. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'the request is malformed',
  406: 'the group does not allow it, or a text is too long',
  409: 'it is so already, or was changed meanwhile',
  419: 'a limit of WhatsApp is reached',
  429: 'the account has sent too many requests of this kind',
  500: 'an error inside of WhatsApp',
};

const MESSAGES = {
  GROUP_NOT_FOUND: 'WhatsApp knows no group of this id.',
  NOT_GROUP_MEMBER: 'The account is not a participant of the group.',
  NOT_GROUP_ADMIN: 'Only admins of the group may do this.',
  GROUP_FULL: 'The group is full.',
  INVITATION_INVALID: 'WhatsApp knows no such invitation, or it was revoked.',
} as const satisfies Partial<Record<ErrorCode, string>>;

export type GroupErrorCode = keyof typeof MESSAGES;

export function groupError(code: GroupErrorCode, cause?: unknown): WafleetError {
  return new WafleetError(code, MESSAGES[code], undefined, cause === undefined ? undefined : { cause });
}

/** WhatsApp accepted a request, but refused a part of it. Has WhatsApp's code where errors of Baileys have it. */
export class PartRefusedError extends Error {
  override readonly name = 'PartRefusedError';
  readonly data: number;

  constructor(code: number) {
    super(`WhatsApp refused a part of the request with code ${code}`);
    this.data = code;
  }
}

/** Sends a request about one group. Rejects as Baileys' `query`. */
export function askAboutGroup(
  socket: WASocket,
  to: string,
  type: 'get' | 'set',
  content: BinaryNode,
): Promise<BinaryNode> {
  return socket.query({ tag: 'iq', attrs: { to, xmlns: 'w:g2', type }, content: [content] });
}

/** Sends a request that is not about one group. Rejects as Baileys' `query`. */
export function askOfAll(socket: WASocket, type: 'get' | 'set', content: BinaryNode): Promise<BinaryNode> {
  return askAboutGroup(socket, '@g.us', type, content);
}

interface AskOptions {
  /** What refusals mean, by WhatsApp's code. All others become WHATSAPP_REFUSED. */
  readonly refusals: Readonly<Record<number, GroupErrorCode>>;
  /** The error if WhatsApp does not answer, or the connection ends first. */
  readonly otherwise: (cause: unknown) => WafleetError;
}

function notRead(cause: unknown): WafleetError {
  return new WafleetError('UNAVAILABLE', 'WhatsApp did not answer.', undefined, { cause });
}

function notKnown(cause: unknown): WafleetError {
  const message = 'WhatsApp did not answer whether it has changed the group. Look at the group.';
  return new WafleetError('OUTCOME_UNKNOWN', message, undefined, { cause });
}

/** What a request that changes nothing was refused for. */
const READ_REFUSALS = { 403: 'NOT_GROUP_MEMBER', 404: 'GROUP_NOT_FOUND' } as const;

/**
 * Waits for the answer to a request that changes nothing, 10 s at most.
 * @throws {WafleetError} as `refusals` says; UNAVAILABLE if WhatsApp did not answer.
 */
export function readAnswer<Answer>(
  asked: Promise<Answer>,
  refusals: AskOptions['refusals'] = READ_REFUSALS,
): Promise<Answer> {
  return answerOf(asked, { refusals, otherwise: notRead });
}

/**
 * Waits for the answer to a request that changes something, 10 s at most.
 * @throws {WafleetError} as `refusals` says; OUTCOME_UNKNOWN if WhatsApp did not answer.
 */
export function changeAnswer<Answer>(
  asked: Promise<Answer>,
  refusals: AskOptions['refusals'],
): Promise<Answer> {
  return answerOf(asked, { refusals, otherwise: notKnown });
}

async function answerOf<Answer>(
  asked: Promise<Answer>,
  { refusals, otherwise }: AskOptions,
): Promise<Answer> {
  try {
    return await answerInTime(asked, otherwise);
  } catch (error) {
    const code = refusalCode(error);
    if (code === undefined) throw fromBaileys(error, { otherwise });
    const known = refusals[code];
    throw known === undefined
      ? whatsAppRefused(code, { cause: error, refusals: REASONS })
      : groupError(known, error);
  }
}
