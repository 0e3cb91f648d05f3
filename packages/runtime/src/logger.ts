import { type LoggerOptions, pino } from 'pino';
import { withoutCredentials } from './redaction.js';

export type { Logger } from 'pino';

/**
 * Fields that never reach a log, at the top of an entry or one or two levels down. They hold API keys, tokens,
 * what links a phone (QR text, pairing code), and Signal credentials.
 */
const SECRET_FIELDS = [
  'authorization',
  'apiKey',
  'token',
  'secret',
  'password',
  'encryptionKey',
  'adminToken',
  'qr',
  'pairingCode',
  'creds',
  'keys',
  'key',
  'headers',
];

/**
 * An error as logs show it. Only named fields: client libraries hang commands with their arguments on errors,
 * and those hold secrets.
 */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    type: error.name,
    message: withoutCredentials(error.message),
    ...('code' in error ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: withoutCredentials(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/**
 * The process' logger: JSON lines on standard output, or to a `destination`, secrets redacted. The one place that
 * makes one.
 */
export function createLogger(options: {
  app: string;
  level: string;
  instance?: string;
  destination?: { write(line: string): void };
}) {
  const settings: LoggerOptions = {
    level: options.level,
    base: { app: options.app, ...(options.instance === undefined ? {} : { instance: options.instance }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError, error: serializeError },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
