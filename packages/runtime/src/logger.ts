import { type LoggerOptions, pino } from 'pino';
import { loggableError, loggableFields } from './loggable.js';

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

/** The fields that entries have their errors in. */
const ERROR_FIELDS = ['err', 'error'];

/**
 * The process' logger: JSON lines on standard output, or to a `destination`, secrets redacted, bytes left out. The one
 * place that makes one.
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
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => loggableFields(fields, ERROR_FIELDS),
    },
    serializers: Object.fromEntries(ERROR_FIELDS.map((field) => [field, loggableError])),
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
