import type { Feature } from '../iq/registry.js';

/** What a phone tells its companions of the past: at once when they are linked, later when they ask. */
export const historyFeature: Feature = {
  onLinked: ({ phone, device }) => phone.history.welcome(device),
  onPhoneMessage: async ({ id, device, category, message }, { phone }) => {
    const request = message.protocolMessage?.peerDataOperationRequestMessage?.historySyncOnDemandRequest;
    if (category === 'peer' && device && request) await phone.history.answer(device, request, id);
  },
};
