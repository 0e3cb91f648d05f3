import type { ParticipantResult } from '@wafleet/contract';
import {
  type BinaryNode,
  getBinaryNodeChild,
  isLidUser,
  isPnUser,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { Recipients } from '../recipients.js';
import { toInstant } from './group-details.js';

type Result = ParticipantResult['result'];

/** What WhatsApp's codes mean for one person. */
export type ResultCodes = Readonly<Record<number, Result>>;

export const ADDING: ResultCodes = {
  403: 'invitation-needed',
  404: 'not-on-whatsapp',
  408: 'left-recently',
  409: 'already-participant',
  417: 'invitation-needed',
  419: 'group-full',
};

export const CHANGING: ResultCodes = { 404: 'not-participant' };

export const ANSWERING: ResultCodes = { 404: 'not-requested', 409: 'already-participant', 419: 'group-full' };

/** A person as a request has it, with the id that WhatsApp is asked for; undefined for a number it does not know. */
export interface NamedPerson {
  readonly participant: string;
  readonly id: string | undefined;
}

/** @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not answer. */
export async function findPeople(
  { socket, recipients }: { readonly socket: WASocket; readonly recipients: Recipients },
  participants: readonly string[],
): Promise<NamedPerson[]> {
  const ids = await recipients.findAll(socket, participants);
  return participants.map((participant, index) => ({ participant, id: ids[index] }));
}

/** The ids to ask WhatsApp for, each once: a person may be named twice, in several spellings. */
export function idsOf(people: readonly NamedPerson[]): string[] {
  return [...new Set(people.flatMap(({ id }) => id ?? []))];
}

/**
 * What became of each person of a request, in its order.
 * @param asked the ids, in the order in which WhatsApp was asked for them.
 * @param answers WhatsApp's `<participant>` nodes.
 */
export function resultsOf(
  people: readonly NamedPerson[],
  { asked, answers, codes }: { asked: readonly string[]; answers: readonly BinaryNode[]; codes: ResultCodes },
): ParticipantResult[] {
  const byId = new Map<string, BinaryNode>();
  for (const answer of answers) {
    // A group whose participants are known by their LIDs answers with LIDs, also where the request has numbers.
    for (const id of [answer.attrs.jid, answer.attrs.phone_number, answer.attrs.lid]) {
      if (id !== undefined) byId.set(id, answer);
    }
  }
  const hasAll = answers.length === asked.length;
  return people.map(({ participant, id }) => {
    if (id === undefined) return { participant, result: 'not-on-whatsapp' };
    const answer = byId.get(id) ?? (hasAll ? answers[asked.indexOf(id)] : undefined);
    if (answer === undefined) return { participant, ...spellings([id]), result: 'unknown' };
    const { jid, phone_number, lid } = answer.attrs;
    return { participant, ...spellings([id, jid, phone_number, lid]), ...outcomeOf(answer, codes) };
  });
}

function spellings(ids: readonly (string | undefined)[]): Pick<ParticipantResult, 'lid' | 'phoneNumber'> {
  const lid = ids.find(isLidUser);
  const phoneNumber = ids.find(isPnUser);
  return { ...(lid === undefined ? {} : { lid }), ...(phoneNumber === undefined ? {} : { phoneNumber }) };
}

function outcomeOf(
  answer: BinaryNode,
  codes: ResultCodes,
): Pick<ParticipantResult, 'result' | 'code' | 'invitation'> {
  const { error } = answer.attrs;
  if (error === undefined || error === '200') return { result: 'done' };
  const code = Number(error);
  const invitation = invitationIn(answer);
  return {
    result: codes[code] ?? 'refused',
    ...(Number.isInteger(code) ? { code } : {}),
    ...(invitation === undefined ? {} : { invitation }),
  };
}

function invitationIn(answer: BinaryNode): ParticipantResult['invitation'] {
  const { code, expiration } = getBinaryNodeChild(answer, 'add_request')?.attrs ?? {};
  if (code === undefined) return undefined;
  const expiresAt = toInstant(expiration);
  return { code, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** Whether WhatsApp refused everybody because of the account's own rights, rather than because of those people. */
export function lacksRights(answers: readonly BinaryNode[]): boolean {
  return (
    answers.length > 0 &&
    answers.every(
      (answer) =>
        (answer.attrs.error === '401' || answer.attrs.error === '403') && invitationIn(answer) === undefined,
    )
  );
}
