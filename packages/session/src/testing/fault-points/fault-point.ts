import type { BinaryNode } from '@whiskeysockets/baileys';
import {
  type Command,
  claimedBy,
  isOfQr,
  isWrite,
  keysOf,
  labelOfCommand,
  labelOfStanza,
  labelOfWrite,
} from './labels.js';
import { orderOf } from './order.js';
import { Way } from './way.js';

/**
 * The way that this process is on (see way.ts). There are two kinds.
 *
 * A message whose id is `DIE.<session>.<number>` begins one: its steps are the commands to Redis that name the session,
 * and the stanzas to WhatsApp. If the message comes again to another process, that process lets it pass. The next
 * message ends the way.
 *
 * An order begins one (see order.ts), in the process that it names, or in the process that claims the session
 * successfully. Its steps are the writes that name the session or its tenant, or take a permit to connect, and the
 * stanzas that change something. The end of the order ends the way.
 */
let way: Way | undefined;
/** Whether the command or stanza with this label belongs to the way. */
let belongs: (label: string, command?: Command) => boolean = () => false;
let isOrdered = false;
/** The session that this process claimed last. */
let claimed: string | undefined;
let leaving: { readonly way: Way; readonly label: string } | undefined;

const MESSAGE_ID = /^DIE\.([a-z0-9-]+)\.\d+$/;

const counted = new WeakSet<object>();

/** A stanza has come from WhatsApp. */
export function arrived({ tag, attrs }: BinaryNode): void {
  if (tag !== 'message' || isOrdered) return;
  const { id = '' } = attrs;
  if (way?.name !== id) way = undefined;
  const [, session] = MESSAGE_ID.exec(id) ?? [];
  if (session === undefined) return;
  const begun = Way.begin({ name: id, session, group: session, mayHalt: () => way === begun });
  if (begun === undefined) return;
  way = begun;
  belongs = (_label, command) =>
    command === undefined || keysOf(command).some((key) => key.split(':').includes(session));
}

/** A stanza is about to be sent to WhatsApp. */
export function leaves(stanza: () => BinaryNode): void {
  if (claimed !== undefined) beginOrdered(claimed, { isClaim: false });
  if (way === undefined) return;
  const label = labelOfStanza(stanza);
  if (!belongs(label)) return;
  leaving = { way, label };
  way.before(label);
}

/**
 * The frame that is being sent holds the stanza that left last. Returns a function to call with whether the frame was
 * written.
 */
export function frameLeaves(): (isWritten: boolean) => void {
  const frame = leaving;
  leaving = undefined;
  return (isWritten) => {
    if (isWritten) frame?.way.after(frame.label);
    else frame?.way.failed(frame.label);
  };
}

/** A command is about to be sent to Redis. */
export function commandLeaves(command: Command): void {
  // A command that waits for a connection is passed to be sent twice.
  if (counted.has(command)) return;
  noteClaim(command);
  const current = way;
  if (current === undefined) return;
  const label = isOrdered ? labelOfWrite(command) : labelOfCommand(command);
  if (!belongs(label, command)) return;
  counted.add(command);
  current.before(label);
  command.promise.then(
    () => current.after(label),
    (error: unknown) => (isRefusal(error) ? current.after(label) : current.failed(label)),
  );
}

/** Whether Redis has given a final answer. A script that Redis does not know is sent again as a whole. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && !error.message.startsWith('NOSCRIPT');
}

/** Begins the ordered way of a session that this command claims, or that this process has. */
function noteClaim(command: Command): void {
  const session = claimedBy(command);
  if (session === undefined) {
    if (claimed !== undefined) beginOrdered(claimed, { isClaim: false });
    return;
  }
  claimed = session;
  beginOrdered(session, { isClaim: true });
  command.promise.then(
    (reply) => {
      if (isRefused(reply)) loseClaim(session);
    },
    () => {},
  );
}

/** Whether a claim was answered with another owner, or with no such session: see claim-session.lua. */
function isRefused(reply: unknown): boolean {
  return Array.isArray(reply) && reply[0] !== 1;
}

/** The order of the session is for the process that gets the session. */
function loseClaim(session: string): void {
  if (claimed === session) claimed = undefined;
  if (!isOrdered || way?.session !== session) return;
  way.leave();
  way = undefined;
  isOrdered = false;
}

function beginOrdered(session: string, { isClaim }: { isClaim: boolean }): void {
  const order = orderOf(session);
  if (order === undefined || order.way === way?.name) return;
  if (order.pid === undefined ? !isClaim : order.pid !== process.pid) return;
  const { way: name, group = '', tenantId, until } = order;
  const mayHalt = () => group !== '' && orderOf(session)?.way === name;
  const begun = Way.begin({ name, session, group, mayHalt, until });
  if (begun === undefined) return;
  way = begun;
  isOrdered = true;
  const names = (argument: unknown) =>
    (typeof argument === 'string' || Buffer.isBuffer(argument)) &&
    (argument.includes(session) || argument.includes(tenantId));
  belongs = (label, command) => {
    if (begun.isOver || !isWrite(label) || (isOfQr(label) && begun.hasPassed(label))) return false;
    const keys = command === undefined ? [] : keysOf(command);
    // Heartbeats name sessions, and come at any time.
    if (keys.some((key) => key.endsWith(':heartbeats'))) return false;
    return (
      command === undefined ||
      keys.some((key) => key.startsWith('wf:{connects}:')) ||
      command.args.some(names)
    );
  };
}
