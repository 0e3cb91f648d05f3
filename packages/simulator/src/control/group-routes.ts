import { groupAnswer } from './answers.js';
import { given } from './given.js';
import { type ControlRequest, type ControlRoute, route } from './routes.js';
import { bodies } from './schemas.js';

const group = ({ find, param }: ControlRequest<unknown>) => find.group(param('jid'));

/** What people do with groups. `by` is the person who acts. */
export const groupRoutes: readonly ControlRoute[] = [
  route('POST', '/groups', bodies.createGroup, ({ find, body }) =>
    groupAnswer(find.phone(body.creator).createGroup(body.subject, find.phones(body.members))),
  ),
  route('GET', '/groups/:jid', bodies.nothing, (request) => groupAnswer(group(request))),
  route('POST', '/groups/:jid', bodies.group, (request) => {
    const { subject, description, settings } = request.body;
    const by = request.find.phone(request.body.by);
    if (subject !== undefined) group(request).setSubject(by, subject);
    if (description !== undefined) group(request).setDescription(by, description);
    if (settings !== undefined) group(request).configure(by, given(settings));
    return groupAnswer(group(request));
  }),
  route('POST', '/groups/:jid/members', bodies.groupMembers, (request) => {
    const { by, action, members } = request.body;
    group(request)[action](request.find.phone(by), request.find.phones(members));
    return groupAnswer(group(request));
  }),
  route('POST', '/groups/:jid/leave', bodies.by, (request) => {
    group(request).leave(request.find.phone(request.body.by));
    return groupAnswer(group(request));
  }),
  route('POST', '/groups/:jid/revoke-invite', bodies.by, (request) => {
    group(request).revokeInvite(request.find.phone(request.body.by));
    return groupAnswer(group(request));
  }),
  route('POST', '/phones/:number/join-group', bodies.joinGroup, ({ find, param, body }) => ({
    outcome: find.phone(param('number')).joinGroup(body.inviteCode),
  })),
  route('POST', '/groups/:jid/join-request', bodies.joinRequest, (request) => {
    const { by, person, approve } = request.body;
    group(request).answerJoinRequest(request.find.phone(by), request.find.phone(person), approve);
    return groupAnswer(group(request));
  }),
  route('POST', '/groups/:jid/member-tag', bodies.memberTag, async (request) => {
    await group(request).tagMember(request.find.phone(request.body.by), request.body.label);
  }),
];
