import { appStateFeature } from './app-state/feature.js';
import { businessFeature } from './business/feature.js';
import { callsFeature } from './calls/feature.js';
import { channelsFeature } from './channels/feature.js';
import { groupsFeature } from './groups/feature.js';
import { historyFeature } from './history/feature.js';
import { accountFeature } from './iq/account.js';
import { encryptFeature } from './iq/encrypt.js';
import { usyncFeature } from './iq/usync.js';
import { mediaFeature } from './media/feature.js';
import { placeholderFeature } from './messages/placeholders.js';
import { messagingFeature } from './messages/routing.js';
import { mexFeature } from './mex/feature.js';
import { notificationsFeature } from './notifications/feature.js';
import { pairingCodeFeature } from './pairing-code/feature.js';
import { passkeyFeature } from './passkey/feature.js';
import { presenceFeature } from './presence/feature.js';
import type { Feature } from './server/feature.js';

/** Every feature of the server. A new feature needs its own folder and one line here. */
export const features: readonly Feature[] = [
  encryptFeature,
  usyncFeature,
  accountFeature,
  messagingFeature,
  placeholderFeature,
  pairingCodeFeature,
  passkeyFeature,
  historyFeature,
  appStateFeature,
  groupsFeature,
  presenceFeature,
  callsFeature,
  mediaFeature,
  notificationsFeature,
  mexFeature,
  channelsFeature,
  businessFeature,
];
