import type { Feature } from '../server/feature.js';

/** A phone shares its history with companions: when they are linked, and later when they ask. */
export const historyFeature: Feature = {
  onLinked: ({ phone, device }) => phone.history.welcome(device),
  onPhoneMessage: async ({ id, device, category, message }, { phone }) => {
    const request = message.protocolMessage?.peerDataOperationRequestMessage?.historySyncOnDemandRequest;
    if (category === 'peer' && device && request) await phone.history.answer(device, request, id);
  },
};
