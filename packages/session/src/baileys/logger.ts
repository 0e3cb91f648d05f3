import type { Logger } from '@wafleet/runtime';
import type { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';

type BaileysLogger = (typeof DEFAULT_CONNECTION_CONFIG)['logger'];

/**
 * Warnings and errors of Baileys that are dropped, since the session handles or reports these cases itself: the end of
 * a connection, which may be intended, and replies to invitations, which the session decrypts (`polls`).
 */
const TOLD_OTHERWISE: ReadonlySet<string | undefined> = new Set([
  'stream errored out',
  'error in validating connection',
  'event creation message not found, cannot decrypt response',
]);

/** Returns the message of the error, and the message id, of an entry that Baileys logs. */
function describe(entry: unknown): Record<string, unknown> {
  if (typeof entry !== 'object' || entry === null) return {};
  const error: unknown = Reflect.get(entry, 'err') ?? Reflect.get(entry, 'error') ?? Reflect.get(entry, 'e');
  const messageId: unknown = Reflect.get(entry, 'msgId');
  return {
    ...(error instanceof Error ? { cause: error.message } : {}),
    ...(typeof messageId === 'string' ? { messageId } : {}),
  };
}

/**
 * The logger for Baileys. For warnings and errors it passes on only the text, an error's message and a message's id:
 * the other fields contain stanzas, contents and credentials. Lower levels are dropped. `level` excludes them, since
 * otherwise Baileys renders every stanza as text.
 */
export function baileysLogger(logger: Pick<Logger, 'warn' | 'error'>): BaileysLogger {
  const pass = (level: 'warn' | 'error') => (entry: unknown, text?: string) => {
    if (TOLD_OTHERWISE.has(text)) return;
    logger[level](describe(entry), `Baileys: ${text ?? (typeof entry === 'string' ? entry : 'no text')}`);
  };
  const drop = () => {};
  const adapter: BaileysLogger = {
    level: 'warn',
    child: () => adapter,
    trace: drop,
    debug: drop,
    info: drop,
    warn: pass('warn'),
    error: pass('error'),
  };
  return adapter;
}
