import { z } from 'zod';
import { envelope, int64, jid, whatsAppObject } from './fields.js';

export const labelSchema = z
  .object({
    id: z.string(),
    name: z.string().optional(),
    color: z.number().int().optional().describe('one of 20, from 0'),
    deleted: z.boolean().optional(),
    predefinedId: z.string().optional().describe("set for WhatsApp's own labels"),
  })
  .meta({ id: 'Label', title: 'Label of a business account' });

const newChatLimit = z
  .object({
    totalQuota: int64.optional(),
    usedQuota: int64.optional(),
    cycleStartTimestamp: int64.optional(),
    cycleEndTimestamp: int64.optional(),
    serverSentTimestamp: int64.optional(),
    oteStatus: z.string().optional(),
    mvStatus: z.string().optional(),
    cappingStatus: z.string().optional().describe('`NONE`, `FIRST_WARNING`, `SECOND_WARNING` or `CAPPED`'),
  })
  .meta({ id: 'NewChatLimit', title: 'Limit on new chats' });

export const accountSettingsSchema = z
  .object({
    unarchiveChats: z.boolean().optional().describe('a new message takes its chat out of the archive'),
    defaultDisappearingMode: z
      .object({ ephemeralExpiration: z.number().optional(), ephemeralSettingTimestamp: int64.optional() })
      .optional()
      .describe('messages of new chats disappear after this number of seconds'),
    locale: z.string().optional(),
    timeFormat: whatsAppObject.optional(),
    disableLinkPreviews: whatsAppObject.optional(),
    privacySettingRelayAllCalls: whatsAppObject.optional(),
    statusPrivacy: whatsAppObject.optional().describe('who sees statuses'),
    notificationActivitySetting: z.number().int().optional(),
    channelsPersonalisedRecommendation: whatsAppObject.optional(),
  })
  .meta({ id: 'AccountSettings', title: 'Settings of the account' });

export const credsUpdateSchema = z.object({
  ...envelope,
  me: z
    .object({
      id: jid.describe('by phone number, with the number of this device'),
      lid: jid.optional(),
      name: z.string().optional().describe('the name that the account gave itself'),
    })
    .optional()
    .describe('who the account is'),
  platform: z.string().optional().describe('what the phone runs'),
  registered: z.boolean().optional().describe('whether a phone has linked the session'),
  settings: accountSettingsSchema.optional().describe('settings that changed'),
  labels: z.array(labelSchema).optional().describe('labels that were made, changed or deleted'),
  newChatLimit: newChatLimit.optional().describe('how many new chats the account may begin'),
});
