import { QueryIds } from '@whiskeysockets/baileys';
import type { MexQueries } from '../mex/mex-query.js';

/** What clients ask about what WhatsApp lets their accounts write. */
export const accountLimitQueries: MexQueries = {
  [QueryIds.REACHOUT_TIMELOCK]: {
    path: 'xwa2_fetch_account_reachout_timelock',
    answer: (_variables, { simulator, phone }) => simulator.limits.of(phone).timeLock,
  },
  [QueryIds.MESSAGE_CAPPING_INFO]: {
    path: 'xwa2_message_capping_info',
    answer: (_variables, { simulator, phone }) => simulator.limits.of(phone).newChats,
  },
};
