import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { groupParamsSchema } from './group-fields.js';

/** What a picture may have. As base64 it is as large as the longest text in UTF-8. */
const PICTURE_BYTES = 192 * 1024;

const RIGHTS = ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'NOT_GROUP_ADMIN', 'WHATSAPP_REFUSED'] as const;

/** The pictures of groups. */
export const groupPictureCommands = {
  'get-group-picture': sessionCommand({
    route: 'GET /api/sessions/:id/groups/:group/picture',
    access: 'groups:read',
    cost: 5,
    tag: 'groups',
    summary: 'Get the address of the picture of a group',
    description: 'The address is one of WhatsApp’s, and is valid for some days at least.',
    params: groupParamsSchema,
    reply: z.object({ url: z.string().optional().describe('Absent if the group has no picture') }),
    errors: ['GROUP_NOT_FOUND', 'NOT_GROUP_MEMBER', 'WHATSAPP_REFUSED'],
    example: { group: '120363061982759618@g.us' },
  }),
  'set-group-picture': sessionCommand({
    route: 'PUT /api/sessions/:id/groups/:group/picture',
    access: 'groups:write',
    cost: 20,
    tag: 'groups',
    summary: 'Set the picture of a group',
    description: 'Send a square: apps of WhatsApp send 640 × 640 pixels.',
    params: groupParamsSchema,
    body: z.strictObject({
      image: z
        .base64()
        .max(Math.ceil(PICTURE_BYTES / 3) * 4)
        .startsWith('/9j/', 'must be a JPEG file as base64')
        .describe('A JPEG file of at most 192 KiB, as base64'),
    }),
    reply: z.object({}),
    errors: RIGHTS,
    example: { group: '120363061982759618@g.us', image: '/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==' },
  }),
  'remove-group-picture': sessionCommand({
    route: 'DELETE /api/sessions/:id/groups/:group/picture',
    access: 'groups:write',
    cost: 10,
    tag: 'groups',
    summary: 'Remove the picture of a group',
    params: groupParamsSchema,
    reply: z.object({}),
    errors: RIGHTS,
    example: { group: '120363061982759618@g.us' },
  }),
};
