import type { Bench } from '../harness/bench.js';
import { append } from './scenarios/append.js';
import { halfLoad } from './scenarios/half-load.js';
import { idleClients } from './scenarios/idle-clients.js';
import { manySubscribers } from './scenarios/many-subscribers.js';
import { noSubscribers } from './scenarios/no-subscribers.js';
import { oneSubscriber } from './scenarios/one-subscriber.js';
import { replay } from './scenarios/replay.js';

export const fanout: Bench = {
  name: 'fanout',
  about: 'what an event costs on its way to clients, beside a floor and a peer',
  contenders: {
    product: 'an edge of Wafleet, as it is deployed',
    floor:
      'ioredis, and one `send` of a string for each client by `ws`: no keys, no log, no protocol above WebSocket',
    peer: 'a stock Socket.IO server with @socket.io/redis-adapter, published to by @socket.io/redis-emitter',
  },
  scenarios: [oneSubscriber, halfLoad, manySubscribers, noSubscribers, idleClients, append, replay],
  page: {
    title: 'Events on their way to clients',
    purpose:
      'What an event costs on its way from a worker to clients, beside the least that Node can do and beside the usual way to do it.',
    method: [
      'Each scenario runs the three at the same time against the same Redis and loads them in turns, A B C A B C.',
      'A figure is the median of five rounds, after one that warms up; a ratio (×) is the median of the quotients within a round.',
      "CPU is that of the server's process, from the first event to the last delivery, in its own code and in the kernel's on its behalf.",
      'A round in which a delivery is missing, or comes twice, fails the run.',
      'Saturated means that the server finds all events waiting for it.',
      'Half load is the rate at which the busiest of the servers and their publishers is half busy, the same for all. The bars shown with it are those of saturation, which are not demanded there.',
      "The times from worker to client are taken at that rate and include the load generator's own turn.",
      'Memory is what 10,000 connected and subscribed clients add to a server that has clients already, after a garbage collection; it is taken once.',
      'Of append and publish the CPU is that of Redis, with an append-only file; the floor there is a bare XADD and SPUBLISH, the peer a bare PUBLISH.',
      'The row of 50 events/s varies most: its windows are short, and some have the pings of all clients in them.',
      'Payloads are those in [benchmarks/payloads](../benchmarks/payloads/README.md), about 900 bytes each.',
    ],
  },
};
