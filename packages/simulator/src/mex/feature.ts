import { getBinaryNodeChild } from '@whiskeysockets/baileys';
import { accountLimitQueries } from '../account-limits/mex-queries.js';
import { channelQueries } from '../channels/mex-queries.js';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext, Feature } from '../server/feature.js';
import { type MexQueries, objectIn } from './mex-query.js';

const queries: MexQueries = { ...channelQueries, ...accountLimitQueries };

/** Answers clients' GraphQL queries (`w:mex`). What they ask for is a part of other features. */
export const mexFeature: Feature = {
  iqs: {
    'get:w:mex:query': (iq, context) => {
      const query = getBinaryNodeChild(iq, 'query');
      const answer = answerOf(query?.attrs.query_id ?? '', String(query?.content), context);
      return [{ tag: 'result', attrs: {}, content: Buffer.from(JSON.stringify(answer)) }];
    },
  },
};

function answerOf(id: string, body: string, context: DeviceContext): object {
  const query = queries[id];
  if (query === undefined) throw new IqError(400, 'bad-request');
  try {
    const data: unknown = query.answer(objectIn(JSON.parse(body), 'variables'), context);
    return { data: { [query.path]: data } };
  } catch (error) {
    if (!(error instanceof IqError)) throw error;
    const { code, message } = error;
    const extensions = { error_code: code, is_retryable: false, severity: 'CRITICAL' };
    return { data: null, errors: [{ message, path: [query.path], extensions }] };
  }
}
