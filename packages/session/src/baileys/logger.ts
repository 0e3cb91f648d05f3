import type { Logger } from '@wafleet/runtime';
import type { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';

type BaileysLogger = (typeof DEFAULT_CONNECTION_CONFIG)['logger'];

/**
 * What Baileys calls errors or warns of, and the session does or tells of itself: ends of connections, some of them in
 * order; replies to invitations, which it opens (`polls`).
 */
const TOLD_OTHERWISE: ReadonlySet<string | undefined> = new Set([
  'stream errored out',
  'error in validating connection',
  'event creation message not found, cannot decrypt response',
]);

/** The error in what Baileys hands to its logger, as its message alone. */
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
 * The logger that Baileys is given. Of warnings and errors it passes on the text, an error's message and a
 * message's id, and nothing else: stanzas, contents and credentials ride in the rest. Lower levels are dropped,
 * and `level` says so, since Baileys renders every stanza as text where they are not.
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
