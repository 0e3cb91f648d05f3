import type { groupParticipantCommands } from '@wafleet/contract';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { HandlersOf } from './command-context.js';
import { withBothIds } from './group-requests/both-ids.js';
import { changeGroup, readAsAdmin, readGroup, requireAdmin } from './group-requests/change-group.js';
import { toJoinRequest, toParticipant } from './group-requests/group-details.js';
import { pageOf } from './group-requests/page.js';
import {
  ADDING,
  ANSWERING,
  CHANGING,
  findPeople,
  idsOf,
  lacksRights,
  resultsOf,
} from './group-requests/participant-results.js';

export const groupParticipantHandlers: HandlersOf<typeof groupParticipantCommands> = {
  'list-group-participants': async (context, { group: id, ...page }) => {
    const { participants } = await readGroup(context, id);
    const { items, ...rest } = pageOf(participants, page);
    return { ...rest, items: await withBothIds(context, items.map(toParticipant)) };
  },

  'change-group-participants': async (context, { group: id, action, participants }) => {
    const people = await findPeople(context, participants);
    const asked = idsOf(people);
    const answers = asked.length === 0 ? [] : await ask();
    if (lacksRights(answers)) {
      await requireAdmin(context, id, ({ memberAddMode }) => action === 'add' && memberAddMode === true);
    }
    const codes = action === 'add' ? ADDING : CHANGING;
    return { participants: await withBothIds(context, resultsOf(people, { asked, answers, codes })) };

    async function ask(): Promise<BinaryNode[]> {
      const results = await changeGroup(context, id, (socket) =>
        socket.groupParticipantsUpdate(id, asked, action),
      );
      return results.map(({ content }) => content);
    }
  },

  'list-group-join-requests': async (context, { group, ...page }) => {
    const requests = await readAsAdmin(context, group, (socket) =>
      socket.groupRequestParticipantsList(group),
    );
    const { items, ...rest } = pageOf(requests.flatMap(toJoinRequest), page);
    return { ...rest, items: await withBothIds(context, items) };
  },

  'answer-group-join-requests': async (context, { group, action, participants }) => {
    const people = await findPeople(context, participants);
    const asked = idsOf(people);
    const answered =
      asked.length === 0
        ? []
        : await changeGroup(context, group, (socket) =>
            socket.groupRequestParticipantsUpdate(group, asked, action),
          );
    const answers = answered.map(({ status, jid }) => ({
      tag: 'participant',
      attrs: { error: status, ...(jid === undefined ? {} : { jid }) },
    }));
    if (lacksRights(answers)) await requireAdmin(context, group);
    const results = resultsOf(people, { asked, answers, codes: ANSWERING });
    return { participants: await withBothIds(context, results) };
  },
};
