import { type GroupChange, type groupCommands, WafleetError } from '@wafleet/contract';
import { generateMessageIDV2, getBinaryNodeChildren, type WASocket } from '@whiskeysockets/baileys';
import type { HandlersOf } from './command-context.js';
import { askOfAll, changeAnswer } from './group-requests/ask-group.js';
import { withBothIds } from './group-requests/both-ids.js';
import { changeGroup, readGroup } from './group-requests/change-group.js';
import { readDetails, readNewGroup, toDetails } from './group-requests/group-details.js';
import { pageOf } from './group-requests/page.js';
import { ADDING, findPeople, idsOf, resultsOf } from './group-requests/participant-results.js';
import { readGroups } from './group-requests/read-groups.js';

/** Fields that a change has. */
type Given = { readonly [Field in keyof GroupChange]-?: Exclude<GroupChange[Field], undefined> };

type FieldChanges = {
  readonly [Field in keyof Given]: (
    socket: WASocket,
    id: string,
    change: Pick<Given, Field>,
  ) => Promise<void>;
};

/** How each field is changed, in this order. */
const FIELD_CHANGES: FieldChanges = {
  subject: (socket, id, { subject }) => socket.groupUpdateSubject(id, subject),
  desc: (socket, id, { desc }) => socket.groupUpdateDescription(id, desc ?? undefined),
  restrict: (socket, id, { restrict }) => socket.groupSettingUpdate(id, restrict ? 'locked' : 'unlocked'),
  announce: (socket, id, { announce }) =>
    socket.groupSettingUpdate(id, announce ? 'announcement' : 'not_announcement'),
  memberAddMode: (socket, id, { memberAddMode }) =>
    socket.groupMemberAddMode(id, memberAddMode ? 'all_member_add' : 'admin_add'),
  joinApprovalMode: (socket, id, { joinApprovalMode }) =>
    socket.groupJoinApprovalMode(id, joinApprovalMode ? 'on' : 'off'),
  ephemeralDuration: (socket, id, { ephemeralDuration }) =>
    socket.groupToggleEphemeral(id, ephemeralDuration),
};

const FIELDS = Object.keys(FIELD_CHANGES) as (keyof GroupChange)[];

export const groupHandlers: HandlersOf<typeof groupCommands> = {
  // Baileys' `groupCreate` takes people who could not be added for participants, so the answer is read here.
  'create-group': async (context, { subject, participants, community }) => {
    const { socket } = context;
    const people = await findPeople(context, participants);
    const asked = idsOf(people);
    const attrs = { subject, key: generateMessageIDV2() };
    const content = asked.map((jid) => ({ tag: 'participant', attrs: { jid } }));
    const parent = { tag: 'linked_parent', attrs: { jid: community ?? '' } };
    const create = {
      tag: 'create',
      attrs,
      content: community === undefined ? content : [...content, parent],
    };
    const answer =
      community === undefined
        ? await changeAnswer(askOfAll(socket, 'set', create), {})
        : await changeGroup(context, community, () => askOfAll(socket, 'set', create));
    const group = readNewGroup(answer);
    const answers = getBinaryNodeChildren(group, 'participant').filter(({ attrs: { type } }) => !type);
    return {
      group: readDetails(group),
      participants: await withBothIds(context, resultsOf(people, { asked, answers, codes: ADDING })),
    };
  },

  'list-groups': async ({ socket }, page) => pageOf(await readGroups(socket), page),

  'get-group': async (context, { group }) => toDetails(await readGroup(context, group)),

  'change-group': async (context, { group, ...change }) => {
    const done: string[] = [];
    for (const field of FIELDS) {
      if (change[field] === undefined) continue;
      try {
        await changeGroup(context, group, (socket) => FIELD_CHANGES[field](socket, group, change as Given));
      } catch (error) {
        throw done.length === 0 ? error : withDone(error, done);
      }
      done.push(field);
    }
    return {};
  },

  // WhatsApp does not refuse the whole request because of a group that the account is not in.
  'leave-group': async (context, { group }) => {
    await readGroup(context, group);
    await changeGroup(context, group, (socket) => socket.groupLeave(group), { 403: 'NOT_GROUP_MEMBER' });
    return {};
  },
};

function withDone(error: unknown, done: readonly string[]): unknown {
  if (!(error instanceof WafleetError)) return error;
  return new WafleetError(error.code, error.message, { ...error.details, done }, { cause: error });
}
