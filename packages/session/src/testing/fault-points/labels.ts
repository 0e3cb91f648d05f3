import type { BinaryNode } from '@whiskeysockets/baileys';

/** A command as ioredis sends it. */
export interface Command {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
}

const FIELD = /^(creds$|[a-z-]+(?=:))/;
const EVENT = /^[a-z-]+\.[a-z-]+$/;
const STATUS_IN_BODY = /"status":"([a-z_]+)"/;
const STATUS = /^(queued|connecting|awaiting_link|open|reconnecting|closed|logged_out|failed)$/;
/** Of claim-session.lua. A release lacks the last two. */
const KEYS_OF_CLAIM = 'owner session unowned owned owned purged-epoch';
const QUEUE = '{wf-placement}:';
const READS = /^((h|m|hm)?get|hgetall|exists|sismember|smembers|smismember|zscore|evalsha session owner$)/;
/** A write that notes that a message is finished. It belongs to the way of that message. */
const FINISHES = /^append$/;
/** What asks WhatsApp, or keeps the connection. */
const QUESTIONS = /^(handshake|presence|iq get)/;

function textsOf({ args }: Command): string[] {
  return args.map((argument) => (typeof argument === 'string' ? argument : ''));
}

/** The keys of a command that belong to the product. */
export function keysOf(command: Command): string[] {
  return textsOf(command).filter((text) => text.startsWith('wf:'));
}

function kindsOf(command: Command): (string | undefined)[] {
  return keysOf(command).map((key) => key.split(':')[2]);
}

/** The session that a command claims for its worker, if the answer allows it. */
export function claimedBy(command: Command): string | undefined {
  if (!command.name.startsWith('eval') || kindsOf(command).join(' ') !== KEYS_OF_CLAIM) return undefined;
  return keysOf(command)[0]?.split(':')[3];
}

/**
 * Which kinds of keys and fields a command is about, and which statuses it has: `evalsha owner session failed`. A
 * script that is sent as a whole, since Redis does not know it yet, has the label that it has later.
 */
export function labelOfCommand(command: Command): string {
  const texts = textsOf(command);
  const kinds = kindsOf(command);
  const queues = texts.some((text) => text.startsWith(QUEUE)) ? ['queue'] : [];
  const fields = texts.flatMap((text) => FIELD.exec(text)?.[0] ?? []).filter((field) => field !== 'wf');
  const statuses = texts.filter((text) => STATUS.test(text));
  const name = command.name === 'eval' ? 'evalsha' : command.name;
  return `${name} ${[...new Set([...kinds, ...queues, ...fields, ...statuses])].join(' ')}`.trim();
}

/**
 * As `labelOfCommand`; an append of events is called by what is appended: `append connection.update open`. Which other
 * events are appended together with a status is chance, so they are left out then.
 */
export function labelOfWrite(command: Command): string {
  if (!keysOf(command).some((key) => key.endsWith(':log-head'))) return labelOfCommand(command);
  const texts = textsOf(command);
  const events = texts.flatMap((text, index) =>
    EVENT.test(text) ? [{ text, body: texts[index + 1] ?? '' }] : [],
  );
  const withStatus = events.flatMap(({ text, body }) => {
    const [, status] = STATUS_IN_BODY.exec(body) ?? [];
    return status === undefined ? [] : [text, status];
  });
  const reported = withStatus.length > 0 ? withStatus : events.map(({ text }) => text);
  return ['append', ...new Set(reported)].join(' ');
}

/** `iq set md remove-companion-device`, for instance. */
export function labelOfStanza(stanza: () => BinaryNode): string {
  try {
    const { tag, attrs, content } = stanza();
    if (tag !== 'iq') return `${tag} ${attrs.type ?? attrs.class ?? attrs.xmlns ?? ''}`.trim();
    const [child] = Array.isArray(content) ? content : [];
    return `iq ${attrs.type} ${attrs.xmlns ?? ''} ${child?.tag ?? ''}`.trim();
  } catch {
    // What is sent before the handshake is done holds no stanza.
    return 'handshake';
  }
}

/** Whether it is about a QR code. The further ones are like the first. */
export function isOfQr(label: string): boolean {
  return /\bqr pairing https$|^append auth\.qr$/.test(label);
}

/** Whether a command or stanza writes something of a session's end, to Redis or to WhatsApp. */
export function isWrite(label: string): boolean {
  return ![READS, FINISHES, QUESTIONS].some((pattern) => pattern.test(label));
}
