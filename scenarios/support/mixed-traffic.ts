import type { Cluster } from '@wafleet/testkit';
import type { LinkedSession, Phone } from './linked-sessions.js';
import type { SeededRandom } from './seeded-random.js';

type Group = ReturnType<Phone['createGroup']>;
type Kind = 'first contact' | 'further message' | 'group message';

/** A message that was sent to a session. */
export interface SentMessage {
  readonly id: string;
  readonly kind: Kind;
  readonly sessionId: string;
  /** Ms since 1970. */
  readonly at: number;
}

/** The people around one session: those who wrote to it, and a group that it is in. */
interface Circle {
  readonly session: LinkedSession;
  readonly known: Phone[];
  readonly group: Group;
}

/** Percentages. The rest are further messages of people who wrote before. */
const SHARE = { firstContact: 0.15, group: 0.25 };
const MEMBERS = 4;

/**
 * Sends messages of every kind to many sessions: from people who write for the first time, from people who wrote
 * before, and to groups, also from members who write there for the first time. The seed determines what is sent when.
 */
export class MixedTraffic {
  readonly sent: SentMessage[] = [];
  /** The ids in the order of sending, by session, chat and sender: `<session> <chat> <participant>`. */
  readonly orders = new Map<string, string[]>();
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #circles: readonly Circle[];
  readonly #prefix: string;
  #people = 0;

  constructor(options: {
    cluster: Cluster;
    sessions: readonly LinkedSession[];
    random: SeededRandom;
    /** Every id and text begins with it. Default: none. */
    prefix?: string;
  }) {
    this.#prefix = options.prefix ?? '';
    this.#cluster = options.cluster;
    this.#random = options.random;
    this.#circles = options.sessions.map((session) => {
      const members = Array.from({ length: MEMBERS }, () => this.#person());
      const [creator] = members;
      if (creator === undefined) throw new Error('a group needs somebody who creates it');
      return {
        session,
        known: [],
        group: creator.createGroup(`around ${session.id}`, [session.phone, ...members.slice(1)]),
      };
    });
  }

  /** Sends one message. Resolves when WhatsApp has it. */
  async sendOne(): Promise<void> {
    const circle = this.#random.oneOf(this.#circles);
    const dice = this.#random.next();
    if (dice < SHARE.group) {
      const { group } = circle;
      const sender = this.#random.oneOf(group.members().filter((member) => member !== circle.session.phone));
      return this.#send('group message', circle, sender, group);
    }
    if (dice < SHARE.group + SHARE.firstContact || circle.known.length === 0) {
      const sender = this.#person();
      await this.#send('first contact', circle, sender, circle.session.phone);
      circle.known.push(sender);
      return;
    }
    const sender = this.#random.oneOf(circle.known);
    return this.#send('further message', circle, sender, circle.session.phone);
  }

  async #send(kind: Kind, { session }: Circle, sender: Phone, to: Phone | Group): Promise<void> {
    const id = `${this.#prefix}MSG${this.sent.length + 1}`;
    this.sent.push({ id, kind, sessionId: session.id, at: Date.now() });
    const lane =
      to === session.phone ? `${session.id} ${sender.lid} ` : `${session.id} ${to.jid} ${sender.lid}`;
    this.orders.set(lane, [...(this.orders.get(lane) ?? []), id]);
    await sender.send(to, { text: id }, { id });
  }

  #person(): Phone {
    this.#people += 1;
    return this.#cluster.simulator.addPhone({ name: `Writer ${this.#people}` });
  }
}
