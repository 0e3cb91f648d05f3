import {
  decryptEventResponse,
  decryptPollVote,
  jidNormalizedUser,
  normalizeMessageContent,
  type proto,
  type WAMessage,
  type WAMessageKey,
  type WAMessageUpdate,
} from '@whiskeysockets/baileys';
import type { Question } from './questions.js';

/** This account, by its number and its LID. */
type Me = { readonly id: string; readonly lid?: string | undefined } | undefined;

/** A vote in a poll or a reply to an invitation, as it came. */
interface Answer {
  readonly questionId: string;
  readonly message: WAMessage;
}

/** The message as an answer to another one; undefined when it is none. */
export function answerIn(message: WAMessage): Answer | undefined {
  const { pollUpdateMessage, encEventResponseMessage } = normalizeMessageContent(message.message) ?? {};
  const question =
    pollUpdateMessage?.pollCreationMessageKey ?? encEventResponseMessage?.eventCreationMessageKey;
  return question?.id ? { questionId: question.id, message } : undefined;
}

/**
 * What the answer says, as a change of the message that asked. Undefined when it was not encrypted for this question by
 * whoever sent it.
 *
 * Both people are part of the key, under the names that the answering client had for them, number or LID; the cipher
 * tells which ones are right.
 */
export function openAnswer({ message }: Answer, question: Question, me: Me): WAMessageUpdate | undefined {
  const content = normalizeMessageContent(message.message);
  const { pollUpdateMessage, encEventResponseMessage } = content ?? {};
  for (const asker of namesOf(question.key, me)) {
    for (const answerer of namesOf(message.key, me)) {
      const people = { question, asker, answerer };
      const update = pollUpdateMessage
        ? openVote(pollUpdateMessage, message.key, people)
        : encEventResponseMessage && openReply(encEventResponseMessage, message.key, people);
      if (update) return { key: question.key, update };
    }
  }
  return undefined;
}

interface People {
  readonly question: Question;
  readonly asker: string;
  readonly answerer: string;
}

function openVote(
  { vote, senderTimestampMs }: proto.Message.IPollUpdateMessage,
  key: WAMessageKey,
  { question, asker, answerer }: People,
): WAMessageUpdate['update'] | undefined {
  const choice = attempt(() =>
    decryptPollVote(vote ?? {}, {
      pollMsgId: question.key.id,
      pollEncKey: question.secret,
      pollCreatorJid: asker,
      voterJid: answerer,
    }),
  );
  return (
    choice && {
      pollUpdates: [
        { pollUpdateMessageKey: key, vote: choice, senderTimestampMs: senderTimestampMs ?? null },
      ],
    }
  );
}

function openReply(
  reply: proto.Message.IEncEventResponseMessage,
  key: WAMessageKey,
  { question, asker, answerer }: People,
): WAMessageUpdate['update'] | undefined {
  const response = attempt(() =>
    decryptEventResponse(reply, {
      eventMsgId: question.key.id,
      eventEncKey: question.secret,
      eventCreatorJid: asker,
      responderJid: answerer,
    }),
  );
  return (
    response && {
      eventResponses: [
        {
          eventResponseMessageKey: key,
          timestampMs: response.timestampMs ?? null,
          eventResponseMessage: response,
        },
      ],
    }
  );
}

/** Whoever wrote a message, by each of the names that are known. */
function namesOf(key: WAMessageKey, me: Me): Set<string> {
  const names = key.fromMe
    ? [me?.lid, me?.id]
    : key.participant
      ? [key.participant, key.participantAlt]
      : [key.remoteJid, key.remoteJidAlt];
  return new Set(names.flatMap((name) => (name ? jidNormalizedUser(name) : [])));
}

function attempt<T>(decrypt: () => T): T | undefined {
  try {
    return decrypt();
  } catch {
    return undefined;
  }
}
