import type { Fence, RecentMessages, UnreadableRecords } from '@wafleet/store';
import { isOfContent } from '../outbox/content-errors.js';
import type { Question } from './questions.js';

/** Differs from the name of any message that was sent. */
const nameOf = (id: string) => `question ${id}`;

/** Other people choose how many there are. The rest of the room is for messages that the account sends. */
const QUESTIONS_PER_DAY = 20_000;

const SECRET_BYTES = 32;
/** Of a message's key, beside its id. */
const NAMES = ['remoteJid', 'remoteJidAlt', 'participant', 'participantAlt', 'addressingMode'] as const;

/**
 * The polls and invitations of a session's last seven days, sealed, for the worker that owns the session when an answer
 * comes.
 */
export class QuestionStore {
  readonly #recentMessages: RecentMessages;
  readonly #fence: Fence;
  readonly #unreadable: UnreadableRecords;

  constructor(options: { recentMessages: RecentMessages; fence: Fence; unreadable: UnreadableRecords }) {
    this.#recentMessages = options.recentMessages;
    this.#fence = options.fence;
    this.#unreadable = options.unreadable;
  }

  /** Keeps the first question of an id: a later one, in another chat perhaps, does not take its place. */
  async keep({ key, secret }: Question): Promise<void> {
    if ((await this.find(key.id)) !== undefined) return;
    const value = Buffer.from(JSON.stringify({ key, secret: Buffer.from(secret).toString('base64') }));
    await this.#recentMessages.put(this.#fence, nameOf(key.id), value, { mostPerDay: QUESTIONS_PER_DAY });
  }

  /** Returns undefined if it never came, came too long ago, or cannot be read. Rejects if Redis is out of reach. */
  async find(id: string): Promise<Question | undefined> {
    try {
      const value = await this.#recentMessages.get(this.#fence, nameOf(id));
      if (value === undefined) return undefined;
      const question = toQuestion(JSON.parse(value.toString()));
      if (question !== undefined) return question;
    } catch (error) {
      if (!isOfContent(error)) throw error;
    }
    this.#unreadable.report({ kind: 'question', name: id });
    return undefined;
  }
}

/** Returns undefined if the value is not what `keep` stores. */
function toQuestion(value: unknown): Question | undefined {
  const { key, secret } = fieldsOf(value);
  const { id, fromMe, ...others } = fieldsOf(key);
  if (typeof id !== 'string' || typeof secret !== 'string') return undefined;
  const names = NAMES.flatMap((name) => {
    const jid = others[name];
    return typeof jid === 'string' ? [[name, jid]] : [];
  });
  const bytes = Buffer.from(secret, 'base64');
  if (bytes.length !== SECRET_BYTES) return undefined;
  return { key: { ...Object.fromEntries(names), id, fromMe: fromMe === true }, secret: bytes };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
