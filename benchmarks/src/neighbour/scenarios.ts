import { roundsOf, type Scenario } from '../harness/scenario.js';
import { rowsOf } from './rows.js';
import { Stage, type StageOptions, type Window } from './stage.js';

const WINDOW_MS = 6_000;
/** During the warm-up, V8 still interprets much of the code that an attack reaches. */
const ROUNDS_TO_WARM_UP = 3;
const QUICK = { windowMs: 1_500, scale: 0.1 };

interface AttackScenario extends Pick<Scenario, 'name' | 'about'> {
  readonly stage: Omit<StageOptions, 'cores' | 'scale'>;
}

/** Quiet and attacked windows in turns. The first rounds are a warm-up. */
function scenario({ name, about, stage: options }: AttackScenario): Scenario {
  return {
    name,
    about,
    async run({ cores, quick }) {
      const windowMs = quick ? QUICK.windowMs : WINDOW_MS;
      const stage = await Stage.start({ ...options, cores, scale: quick ? QUICK.scale : 1 });
      try {
        const rounds = { attacked: [] as Window[], quiet: [] as Window[] };
        for (let round = 0; round < (quick ? 1 : ROUNDS_TO_WARM_UP); round += 1) {
          await stage.quiet(windowMs);
          await stage.attacked(windowMs);
        }
        for (let round = 0; round < roundsOf({ quick }); round += 1) {
          rounds.quiet.push(await stage.quiet(windowMs));
          rounds.attacked.push(await stage.attacked(windowMs));
        }
        return rowsOf(name, rounds, { sends: options.sendsPerSecond !== undefined });
      } finally {
        await stage.stop();
      }
    },
  };
}

export const scenarios: readonly Scenario[] = [
  scenario({
    name: 'unread-streams',
    about: '360 Socket.IO clients and 594 SSE clients of one key ask for 3,000 events of 8 KB and read none',
    stage: {
      attack: 'unread-streams',
      workers: 1,
      attackerSessions: 0,
      log: { events: 3_000, bytes: 8_000 },
    },
  }),
  scenario({
    name: 'repeated-subscriptions',
    about: '300 sockets ask again and again for rare events among 10,000',
    stage: {
      attack: 'repeated-subscriptions',
      workers: 1,
      attackerSessions: 0,
      log: { events: 10_000, bytes: 1_000 },
    },
  }),
  scenario({
    name: 'connect-and-cut',
    about: 'a key with a list of 1,000 sessions connects, subscribes and is cut, again and again',
    stage: { attack: 'connect-and-cut', workers: 1, attackerSessions: 0 },
  }),
  scenario({
    name: 'session-flood',
    about: '3,000 sessions made in 6 s, and lists of them all the time',
    stage: { attack: 'session-flood', workers: 2, attackerSessions: 0, newTenants: true, links: true },
  }),
  scenario({
    name: 'send-flood',
    about: '1,500 sends at a time by sessions of the same worker',
    stage: { attack: 'send-flood', workers: 1, attackerSessions: 10, sendsPerSecond: 10 },
  }),
  scenario({
    name: 'large-messages',
    about: 'messages of 5 to 15 MB to a session of the same worker, every second',
    stage: {
      attack: 'large-messages',
      workers: 1,
      attackerSessions: 1,
      largeMessages: { megabytes: [5, 10, 15], everyMs: 1_000 },
    },
  }),
];
