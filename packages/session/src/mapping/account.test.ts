import { expect, it } from 'vitest';
import { map } from '../testing/mapping.js';

it('publishes who the account is and its settings, and nothing else', () => {
  expect(
    map('creds.update', {
      me: { id: '15:1@s.whatsapp.net', lid: '1:1@lid', name: 'Alice', imgUrl: 'x' },
      platform: 'android',
      account: {},
      advSecretKey: 'secret',
      registered: false,
      accountSettings: {
        unarchiveChats: true,
        defaultDisappearingMode: { ephemeralExpiration: 86400, ephemeralSettingTimestamp: 1700000000 },
      },
    }),
  ).toEqual([
    {
      event: 'creds.update',
      payload: {
        me: { id: '15:1@s.whatsapp.net', lid: '1:1@lid', name: 'Alice' },
        platform: 'android',
        registered: true,
        settings: {
          unarchiveChats: true,
          defaultDisappearingMode: { ephemeralExpiration: 86400, ephemeralSettingTimestamp: 1700000000 },
        },
      },
    },
  ]);
  expect(map('creds.update', { nextPreKeyId: 5 })).toEqual([]);
});

it('publishes settings, labels and the limit on new chats', () => {
  expect(map('settings.update', { setting: 'locale', value: 'pt_BR' })).toEqual([
    { event: 'creds.update', payload: { settings: { locale: 'pt_BR' } } },
  ]);
  expect(
    map('settings.update', { setting: 'disableLinkPreviews', value: { isPreviewsDisabled: true } }),
  ).toEqual([
    { event: 'creds.update', payload: { settings: { disableLinkPreviews: { isPreviewsDisabled: true } } } },
  ]);
  const label = { id: '7', name: 'New order', color: 3, deleted: false, predefinedId: '2' };
  expect(map('labels.edit', label)).toEqual([{ event: 'creds.update', payload: { labels: [label] } }]);
  expect(map('message-capping.update', { total_quota: 250, used_quota: 240 })).toEqual([
    { event: 'creds.update', payload: { newChatLimit: { totalQuota: 250, usedQuota: 240 } } },
  ]);
});
