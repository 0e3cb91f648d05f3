import type { Feature } from '../server/feature.js';

/** A phone shares its history with companions: when they are linked, and later when they ask. */
export const historyFeature: Feature = {
  onLinked: ({ simulator, phone, device }) => simulator.histories.of(phone).welcome(device),
  onPhoneMessage: async ({ id, device, category, message }, { simulator, phone }) => {
    const request = message.protocolMessage?.peerDataOperationRequestMessage?.historySyncOnDemandRequest;
    if (category !== 'peer' || !device || !request) return;
    await simulator.histories.of(phone).answer(device, request, id);
  },
};
