import type { Bench } from '../harness/bench.js';
import { scenarios } from './scenarios.js';

export const neighbour: Bench = {
  name: 'neighbour',
  about: 'what a tenant feels while another one takes all that it can get',
  contenders: {
    attacked: 'while another tenant attacks',
    quiet: 'the same without the attack',
  },
  scenarios,
  isSpread: true,
  page: {
    title: 'A tenant beside a greedy one',
    purpose:
      'How long the REST calls and events of a tenant take while another tenant of the same cluster takes all that it can get, and without that.',
    method: [
      'A cluster as it is deployed, with its default limits: two edges, a worker (two where sessions are made), a placer, Redis with an append-only file. Where it is deployed each of these has a core; here they share two, and on one alone they would mostly wait for each other.',
      'WhatsApp is the simulator of packages/simulator. It, the measured tenant and the attacker are a process each, on one of the two cores. The attacker has the lowest priority (nice 19, SCHED_IDLE): the CPU that it takes itself is not measured.',
      'The measured tenant has a client of its events at each edge, 25 messages a second that its contact writes, and 50 calls `GET /api/sessions/:id` a second by the attacked edge, 25 by the other. Calls are made at fixed times, whether those before are answered or not.',
      'An event counts from when WhatsApp has the message on its way until the client has it: through the worker, Redis and the edge.',
      'The attack is on one edge, from an address of its own. Rows are about that edge unless they name the other. Sends are by sessions of the same worker.',
      'Quiet and attacked windows of 6 s take turns, A B A B. An attacked window begins with the attack. The next begins when nothing of the attack is left.',
      'A figure is the median of five windows, after three rounds that warm up; a ratio (×) is the median of the quotients within a round. The bar is on the medians.',
      'Calls that failed, and events that did not come or came twice, are of all windows together. A window in which an event is missing fails the run.',
      'Sessions are made by a new tenant in each attacked window, since the one before has used up what it may make. The measured tenant links one meanwhile: it counts as failed if it has no QR code within 30 s.',
      "What the attacker did and was answered is the median of a window; the most frequent answers are listed. Memory is taken at a window's end.",
    ],
  },
};
