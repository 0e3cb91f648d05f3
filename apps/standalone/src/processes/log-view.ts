import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours for the names of processes, used in turn so that neighbours differ. */
const NAME_STYLES: readonly Style[] = ['cyan', 'magenta', 'blue', 'green', 'yellow'];
const LEVEL_STYLES: Readonly<Record<string, Style>> = {
  fatal: 'redBright',
  error: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'gray',
};

/** Level names by pino's numbers, for processes that log numbers. */
const LEVEL_NAMES: Readonly<Record<string, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Fields of pino's lines that the view shows elsewhere, or that its name column makes redundant. */
const PLACED = new Set(['level', 'time', 'msg', 'app', 'name', 'instance', 'err', 'pid', 'hostname']);

const NAME_WIDTH = 10;

/**
 * Renders the log lines of several processes for people: time, process, level, message, fields. One line each, coloured
 * if standard output is a terminal that supports colours.
 */
export class LogView {
  readonly #write: (text: string) => void;
  readonly #styles = new Map<string, Style>();

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Shows a line that the process `name` printed: pino's JSON, or any text. */
  show(name: string, line: string): void {
    const entry = parse(line);
    const label = styleText(this.#styleOf(name), name.padEnd(NAME_WIDTH));
    if (entry === undefined) {
      this.#write(`${' '.repeat(8)} ${label} ${line}\n`);
      return;
    }

    const level = LEVEL_NAMES[String(entry.level)] ?? String(entry.level ?? 'info');
    const fields = Object.entries(entry)
      .filter(([field]) => !PLACED.has(field))
      .map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    const text = [
      styleText('gray', clockTime(entry.time)),
      label,
      styleText(LEVEL_STYLES[level] ?? 'gray', level.padEnd(5)),
      String(entry.msg ?? ''),
      ...errorText(entry.err),
      ...(fields.length === 0 ? [] : [styleText('gray', fields.join(' '))]),
    ];
    this.#write(`${text.join(' ')}\n`);
  }

  #styleOf(name: string): Style {
    const style = this.#styles.get(name) ?? NAME_STYLES[this.#styles.size % NAME_STYLES.length] ?? 'cyan';
    this.#styles.set(name, style);
    return style;
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function clockTime(time: unknown): string {
  const date = new Date(typeof time === 'string' || typeof time === 'number' ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? ' '.repeat(8) : date.toTimeString().slice(0, 8);
}

function errorText(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  return 'message' in error ? [`(${String(error.message)})`] : [];
}
