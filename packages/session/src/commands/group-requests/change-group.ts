import { WafleetError } from '@wafleet/contract';
import { areJidsSameUser, type GroupMetadata, type WASocket } from '@whiskeysockets/baileys';
import type { KnownGroups } from '../../caches/known-groups.js';
import { changeAnswer, type GroupErrorCode, groupError, readAnswer } from './ask-group.js';

export interface GroupContext {
  readonly socket: WASocket;
  readonly groups: KnownGroups;
}

const CHANGE_REFUSALS = {
  401: 'NOT_GROUP_ADMIN',
  403: 'NOT_GROUP_ADMIN',
  404: 'GROUP_NOT_FOUND',
} as const;

/**
 * Returns a group with its participants, as WhatsApp described it last.
 * @throws {WafleetError} GROUP_NOT_FOUND, NOT_GROUP_MEMBER, WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp did not answer.
 */
export async function readGroup({ socket, groups }: GroupContext, id: string): Promise<GroupMetadata> {
  const group = await readAnswer(groups.find(socket, id));
  if (group === undefined) throw groupError('GROUP_NOT_FOUND');
  return group;
}

/**
 * Waits for WhatsApp's answer to a change of a group, and forgets what was known of the group.
 * @param refusals what refusals mean besides the usual ones, by WhatsApp's code.
 * @throws {WafleetError} GROUP_NOT_FOUND, NOT_GROUP_MEMBER, NOT_GROUP_ADMIN, WHATSAPP_REFUSED;
 * OUTCOME_UNKNOWN if WhatsApp did not answer.
 */
export async function changeGroup<Answer>(
  context: GroupContext,
  id: string,
  ask: (socket: WASocket) => Promise<Answer>,
  refusals: Readonly<Record<number, GroupErrorCode>> = {},
): Promise<Answer> {
  try {
    return await changeAnswer(ask(context.socket), { ...CHANGE_REFUSALS, ...refusals });
  } catch (error) {
    throw await explain(error, context, id);
  } finally {
    context.groups.forget(id);
  }
}

/**
 * Waits for WhatsApp's answer to a question that only admins of a group may ask.
 * @throws {WafleetError} GROUP_NOT_FOUND, NOT_GROUP_MEMBER, NOT_GROUP_ADMIN, WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp
 * did not answer.
 */
export async function readAsAdmin<Answer>(
  context: GroupContext,
  id: string,
  ask: (socket: WASocket) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await readAnswer(ask(context.socket), CHANGE_REFUSALS);
  } catch (error) {
    throw await explain(error, context, id);
  }
}

/**
 * WhatsApp has one code for what only admins may do and for what only participants may do. Whether the account is a
 * participant is what tells them apart.
 */
async function explain(error: unknown, context: GroupContext, id: string): Promise<unknown> {
  if (!(error instanceof WafleetError) || error.code !== 'NOT_GROUP_ADMIN') return error;
  context.groups.forget(id);
  try {
    await readGroup(context, id);
    return error;
  } catch (reading) {
    const isClear =
      reading instanceof WafleetError && ['NOT_GROUP_MEMBER', 'GROUP_NOT_FOUND'].includes(reading.code);
    return isClear ? reading : error;
  }
}

/**
 * Checks that the account may change a group as its admins may.
 * @param mayAll whether every participant may.
 * @throws {WafleetError} NOT_GROUP_MEMBER, NOT_GROUP_ADMIN, and those of `readGroup`.
 */
export async function requireAdmin(
  context: GroupContext,
  id: string,
  mayAll: (group: GroupMetadata) => boolean = () => false,
): Promise<void> {
  const group = await readGroup(context, id);
  const { user } = context.socket;
  const me = group.participants.find((each) =>
    [user?.id, user?.lid].some(
      (own) => own !== undefined && (areJidsSameUser(own, each.id) || areJidsSameUser(own, each.phoneNumber)),
    ),
  );
  if (me === undefined) throw groupError('NOT_GROUP_MEMBER');
  if (!me.admin && !mayAll(group)) throw groupError('NOT_GROUP_ADMIN');
}
