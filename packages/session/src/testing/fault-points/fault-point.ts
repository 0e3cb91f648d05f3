import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BinaryNode } from '@whiskeysockets/baileys';

/**
 * A way through the process, and the step at which it ends: that of one message, or whatever is done to a session.
 *
 * A message whose id is `DIE.<session>.<number>` begins it: from then on each command to Redis that names the session,
 * and each stanza to WhatsApp, is two steps, before it is sent and after it was answered or written. At the first one at
 * which no message of this session has halted yet the process halts for good, in the middle of whatever it does, until
 * it is killed. Another process to which the message comes again lets it pass. The next message ends the way.
 *
 * A file `arm.<session>` begins a way too, at the next command that names the session. Its first line names the way, its second one the step
 * at which the process halts. Another process that finds the file lets the session pass.
 */
interface Way {
  readonly file: string;
  readonly session: string;
  /** Whether the process halts at this step. */
  readonly halts: (step: string) => boolean;
  /** It ends with the process, and not with the next message. */
  readonly isArmed: boolean;
  /** How often each step was passed: some come several times on one way. */
  readonly passed: Map<string, number>;
}

const ID = /^DIE\.([a-z0-9-]+)\.\d+$/;
const FIELD = /^(creds$|[a-z-]+(?=:))/;

const counted = new WeakSet<object>();
let folder = '';
let way: Way | undefined;
let leaving: string | undefined;

/**
 * Where each way leaves a file of its message's name, a line for each step, then `halted <pid>` if it did; and each
 * session a file of its name, a line for each step at which a message has halted.
 */
export function keepIn(path: string): void {
  folder = path;
}

export function arrived({ tag, attrs }: BinaryNode): void {
  if (tag !== 'message' || way?.isArmed === true) return;
  const { id = '' } = attrs;
  if (way !== undefined && way.file !== join(folder, id)) way = undefined;
  const [, session] = ID.exec(id) ?? [];
  const file = join(folder, id);
  if (session === undefined || existsSync(file)) return;
  appendFileSync(file, '');
  appendFileSync(join(folder, session), '');
  const known = new Set(readFileSync(join(folder, session), 'utf8').split('\n'));
  const halts = (step: string) => {
    if (known.has(step)) return false;
    appendFileSync(join(folder, session), `${step}\n`);
    return true;
  };
  way = { file, session, halts, isArmed: false, passed: new Map() };
}

/** Begins the way of a session that is armed, unless it has begun in another process. */
function beginArmed(session: string): void {
  const order = join(folder, `arm.${session}`);
  if (!existsSync(order)) return;
  const [name = '', haltAt] = readFileSync(order, 'utf8').split('\n');
  const file = join(folder, name);
  if (existsSync(file)) return;
  appendFileSync(file, '');
  way = { file, session, halts: (step) => step === haltAt, isArmed: true, passed: new Map() };
}

export function leaves(stanza: () => BinaryNode): void {
  if (way === undefined) return;
  leaving = nameOf(stanza);
  pass(`before ${leaving}`);
}

function nameOf(stanza: () => BinaryNode): string {
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

/** What the frame holds that is being sent; undefined for what is none of a way's. */
export function labelFrame(): string | undefined {
  const label = leaving;
  leaving = undefined;
  return label;
}

export function passFrame(label: string | undefined): void {
  if (label !== undefined) pass(`after ${label}`);
}

export function passCommand(command: {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
}): void {
  if (counted.has(command)) return;
  const texts = command.args.map((argument) => (typeof argument === 'string' ? argument : ''));
  const keys = texts.filter((text) => text.startsWith('wf:'));
  if (way === undefined) {
    for (const key of keys) {
      const session = key.split(':')[3];
      if (way === undefined && session !== undefined) beginArmed(session);
    }
    if (way === undefined) return;
  }
  if (!keys.some((key) => key.split(':').includes(way?.session ?? ''))) return;
  counted.add(command);
  const kinds = keys.map((key) => key.split(':')[2]);
  const fields = texts.flatMap((text) => FIELD.exec(text)?.[0] ?? []).filter((field) => field !== 'wf');
  const label = `${command.name} ${[...new Set([...kinds, ...fields])].join(' ')}`;
  pass(`before ${label}`);
  command.promise.then(
    () => pass(`after ${label}`),
    () => {},
  );
}

function pass(what: string): void {
  if (way === undefined) return;
  const count = (way.passed.get(what) ?? 0) + 1;
  way.passed.set(what, count);
  const step = count === 1 ? what : `${what} #${count}`;
  appendFileSync(way.file, `${step}\n`);
  if (!way.halts(step)) return;
  appendFileSync(way.file, `halted ${process.pid}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
