import type { BaileysEventMap, WAMessage } from '@whiskeysockets/baileys';
import { unwrap } from '../mapping/unwrap.js';
import { type MessageSecret, secretOf } from './message-secret.js';

/** A poll, or an invitation to an event. It carries the secret with which the answers of others are encrypted. */
export type Question = MessageSecret;

/** Ids are made of some 20 characters. */
const MAX_ID_LENGTH = 255;

/** Contents whose answers are encrypted. */
const ASKING = [
  'pollCreationMessage',
  'pollCreationMessageV2',
  'pollCreationMessageV3',
  'pollCreationMessageV5',
  'eventMessage',
] as const;

/** The questions among new messages and those of the history. */
export function questionsIn(events: Partial<BaileysEventMap>): Question[] {
  const questions: Question[] = [];
  for (const messages of [events['messages.upsert']?.messages, events['messaging-history.set']?.messages]) {
    for (const message of messages ?? []) {
      const question = questionOf(message);
      if (question !== undefined) questions.push(question);
    }
  }
  return questions;
}

function questionOf(message: WAMessage): Question | undefined {
  const { key } = message;
  const { content, wrappers } = unwrap(message.message);
  // The fourth version of a poll stands in a wrapper.
  const isAsking = wrappers.includes('pollCreationMessageV4') || ASKING.some((field) => content[field]);
  const secret = isAsking ? secretOf(message) : undefined;
  if (!key.id || key.id.length > MAX_ID_LENGTH || secret === undefined) return undefined;
  return { key: { ...key, id: key.id }, secret };
}
