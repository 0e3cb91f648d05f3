import { z } from 'zod';
import { linkProgressSchema } from '../link-progress.js';
import { PAUSE_REASONS } from '../pause-reasons.js';
import { sessionStatusSchema } from '../session-status.js';
import { envelope, snapshot } from './fields.js';

export const connectionUpdateSchema = z.object({
  ...envelope,
  connection: z.enum(['connecting', 'open', 'close']).describe('in every update'),
  status: sessionStatusSchema.optional().describe('the state of the session, see [sessions.md](sessions.md)'),
  reason: z.string().optional().describe('why it is in that state'),
  since: z.iso.datetime().optional().describe('since when'),
  link: linkProgressSchema.optional().describe('how far linking a phone has come, while it goes on'),
  lastDisconnect: z
    .object({
      statusCode: z.number().optional().describe("WhatsApp's code"),
      message: z.string().optional(),
    })
    .optional()
    .describe('why the connection ended'),
  isNewLogin: z.boolean().optional().describe('a phone has linked the session just now'),
  isOnline: z.boolean().optional().describe('the account shows as online'),
  receivedPendingNotifications: z
    .boolean()
    .optional()
    .describe('what waited while the session was away has come'),
  reachoutTimeLock: z
    .object({
      isActive: z.boolean().optional(),
      timeEnforcementEnds: z.iso.datetime().optional().describe('until when'),
      enforcementType: z.string().optional(),
    })
    .optional()
    .describe('WhatsApp lets the account begin no new chats'),
  sendsPaused: z
    .object({
      isActive: z.boolean(),
      until: z.iso.datetime().optional().describe('until when'),
      reason: z.enum(PAUSE_REASONS).optional(),
    })
    .optional()
    .describe(
      'whether the session begins no new chats, see [staying-unrestricted.md](staying-unrestricted.md)',
    ),
  history: z
    .object({
      type: z.number().int().describe('kind of history, as `sync.type`'),
      status: z.enum(['complete', 'paused']).describe('`paused`: nothing has come for two minutes'),
      isExplicit: z.boolean().describe('whether the phone said so'),
    })
    .optional()
    .describe('how far the history has come that the phone hands over'),
  snapshot,
});
