import { type LoggerOptions, pino } from 'pino';
import { loggableError, loggableFields } from './loggable.js';
import { RepeatedLines } from './repeated-lines.js';

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

/** The fields of entries that hold errors. */
const ERROR_FIELDS = ['err', 'error'];

/** The fields that say what a line is about. */
const SUBJECT_FIELDS = ['sessionId', 'tenantId', 'workerId', 'keyId', 'connection', 'address'];

/**
 * The process' logger: JSON lines on standard output, or to a `destination`. Secrets are redacted, and bytes are left
 * out. Repeated lines are limited; the next line that is written counts in `linesLeftOut` how many were left out. This
 * is the only place that creates a logger.
 */
export function createLogger(options: {
  app: string;
  level: string;
  instance?: string;
  destination?: { write(line: string): void };
}) {
  const repeated = new RepeatedLines();
  const settings: LoggerOptions = {
    level: options.level,
    base: { app: options.app, ...(options.instance === undefined ? {} : { instance: options.instance }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => loggableFields(fields, ERROR_FIELDS),
    },
    hooks: {
      logMethod(args, method) {
        const [fields, message] = args.length > 1 ? [args[0], args[1]] : [undefined, args[0]];
        const verdict = repeated.count(String(message), subjectOf(this.bindings(), fields));
        if (!verdict.write) return;
        if (verdict.leftOut === 0) return method.apply(this, args);
        const more = typeof fields === 'object' ? fields : {};
        return method.call(this, { ...more, linesLeftOut: verdict.leftOut }, String(message));
      },
    },
    serializers: Object.fromEntries(ERROR_FIELDS.map((field) => [field, loggableError])),
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

function subjectOf(...sources: unknown[]): string {
  const fields = Object.assign({}, ...sources.filter((source) => typeof source === 'object'));
  return SUBJECT_FIELDS.map((field) => String(fields[field] ?? '')).join('\n');
}
