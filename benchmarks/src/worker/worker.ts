import type { Bench } from '../harness/bench.js';
import { growth } from './scenarios/growth.js';
import { idleSessions } from './scenarios/idle-sessions.js';
import { lists } from './scenarios/lists.js';
import { logins } from './scenarios/logins.js';
import { messages } from './scenarios/messages.js';
import { sends } from './scenarios/sends.js';

export const worker: Bench = {
  name: 'worker',
  about: 'what a session costs a worker, beside plain Baileys',
  contenders: {
    product:
      'a worker of Wafleet, as it is deployed, with its state in Redis; for what is sent over REST an edge too',
    peer: 'one process with unmodified Baileys, as its README sets it up: state in files, a cache of groups, `getMessage`',
  },
  scenarios: [messages, sends, logins, growth, idleSessions, lists],
  page: {
    title: 'Sessions',
    purpose:
      'What a session costs a worker, beside what it costs a process of plain Baileys with as many sessions.',
    method: [
      'Both log in at the simulator of packages/simulator, which runs in a process of its own on the core of the load.',
      'Sessions are linked beforehand, in a way that costs neither of them anything, with 30 one-time pre-keys in place of 812.',
      'Each session has contacts and a group of its own, since plain Baileys may lose writes of sessions in one process that share a contact.',
      'Plain Baileys logs as it does by default, to nowhere; the worker as it does by default.',
      'The contenders run at the same time and are loaded in turns, A B A B, at a rate that plain Baileys can keep up with.',
      'A figure is the median of five rounds, after one that warms up; a ratio (×) is the median of the quotients within a round.',
      "CPU is that of the contender's processes, all their threads and the kernel's work on its behalf included, from the first message or closed connection until half a second after the last acknowledgement, two seconds after the last login. That of Redis is shown beside it, with what it takes to read the log as an edge does; plain Baileys' files have no other process.",
      "Messages are between people who have written to each other before. A message counts as received when it stands in the tenant's log, or came to a listener of `messages.upsert`; one that is sent counts when its receiver decrypted it and its own event came.",
      'A message is sent over REST by a call to an edge, whose CPU counts too, with and without an `Idempotency-Key`; plain Baileys sends by `sendMessage`. The time is that until the caller knows that WhatsApp has acknowledged the message: until the answer of the call, or until the acknowledgement came to the socket.',
      'A round in which a message is missing fails the run.',
      'Of the workers with 50, 200 and 1,000 sessions the CPU is that beyond what they take without a load, looked at before each round, and the ratio is to that of 50 in the same round.',
      'A login is that of a linked session whose connection WhatsApp closed with 515, with what Baileys asks for after it.',
      'Memory is what sessions add to the resident memory of a process that has 20 already, after a garbage collection; it is taken once.',
    ],
  },
};
