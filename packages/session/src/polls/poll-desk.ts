import type { Logger } from '@wafleet/runtime';
import type { Fence, RecentMessages } from '@wafleet/store';
import type { BaileysEventMap, WAMessageUpdate } from '@whiskeysockets/baileys';
import type { MappedEvent } from '../mapping/mapped-event.js';
import type { Outbox } from '../outbox.js';
import { answerIn, openAnswer } from './answers.js';
import { QuestionStore } from './question-store.js';
import { questionsIn } from './questions.js';

interface PollDeskOptions {
  readonly fence: Fence;
  readonly recentMessages: RecentMessages;
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** This account. */
  readonly me: () => { readonly id: string; readonly lid?: string | undefined } | undefined;
  /** Changes of messages as the contract's events. */
  readonly map: (updates: WAMessageUpdate[]) => MappedEvent[];
}

/**
 * Opens votes in polls and replies to invitations. They are encrypted with a secret of the message that asked, which
 * clients are not told, and which may have come days ago and to another worker: it is kept for seven days. Baileys
 * leaves votes as they are, and opens replies only where it is told of the question.
 */
export class PollDesk {
  readonly #options: PollDeskOptions;
  readonly #questions: QuestionStore;

  constructor(options: PollDeskOptions) {
    this.#options = options;
    this.#questions = new QuestionStore(options);
  }

  /** Keeps the questions among the events. They are stored before the events leave that are published afterwards. */
  keep(events: Partial<BaileysEventMap>): void {
    for (const question of questionsIn(events)) {
      this.#options.outbox.run(() => this.#questions.keep(question));
    }
  }

  /**
   * Publishes what the answers among the events say, after those events, as changes of the messages that asked: before
   * the message counts as finished that carried the answer.
   */
  open(events: Partial<BaileysEventMap>): void {
    const { outbox, me, map, logger } = this.#options;
    for (const message of events['messages.upsert']?.messages ?? []) {
      const answer = answerIn(message);
      if (answer === undefined) continue;
      outbox.runFor(async () => {
        const question = await this.#questions.find(answer.questionId);
        const update = question && openAnswer(answer, question, me());
        if (update !== undefined) return map([update]);
        logger.info({ isKnown: question !== undefined }, 'an answer to a message cannot be opened');
        return [];
      });
    }
  }
}
