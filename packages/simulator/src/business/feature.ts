import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getBinaryNodeChildString,
} from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { Feature } from '../server/feature.js';
import type { BusinessAccount } from './business-account.js';
import { collectionNode, orderNode, productNode, profileNode, textNode } from './nodes.js';

const TEXTS = ['address', 'description', 'email'] as const;

/** Profiles, catalogues and orders of businesses (`w:biz`, `w:biz:catalog`, `fb:thrift_iq`). */
export const businessFeature: Feature = {
  iqs: {
    'get:w:biz:business_profile': (iq, { simulator }) => {
      const asked = getBinaryNodeChildren(getBinaryNodeChild(iq, 'business_profile'), 'profile');
      const found = asked.flatMap(({ attrs: { jid = '' } }) => {
        const business = simulator.businesses.of(simulator.world.phone(jid));
        return business === undefined ? [] : [profileNode(jid, business)];
      });
      return [{ tag: 'business_profile', attrs: { v: '244' }, content: found }];
    },
    'set:w:biz:business_profile': (iq, { simulator, phone }) => {
      const business = simulator.businesses.of(phone);
      if (business === undefined) throw new IqError(403, 'forbidden');
      const node = getBinaryNodeChild(iq, 'business_profile');
      if (node?.attrs.mutation_type !== 'delta') throw new IqError(400, 'bad-request');
      changeProfile(business, node);
      return [];
    },
    'get:w:biz:catalog:product_catalog': (iq, { simulator }) => {
      const node = getBinaryNodeChild(iq, 'product_catalog');
      const { products } = requireBusiness(
        simulator.businesses.of(simulator.world.phone(node?.attrs.jid ?? '')),
      );
      const { shown, paging } = page(products, node, 'limit');
      return [{ tag: 'product_catalog', attrs: {}, content: [...shown.map(productNode), ...paging] }];
    },
    'get:w:biz:catalog:collections': (iq, { simulator }) => {
      const node = getBinaryNodeChild(iq, 'collections');
      const account = simulator.world.phone(node?.attrs.biz_jid ?? '');
      const { collections } = requireBusiness(simulator.businesses.of(account));
      const { shown, paging } = page(collections, node, 'collection_limit');
      const most = Number(getBinaryNodeChildString(node, 'item_limit'));
      const content = [...shown.map((each) => collectionNode(each, most)), ...paging];
      return [{ tag: 'collections', attrs: {}, content }];
    },
    'get:fb:thrift_iq:order': (iq, { simulator }) => {
      const node = getBinaryNodeChild(iq, 'order');
      const order = simulator.businesses.order(node?.attrs.id ?? '');
      const token = getBinaryNodeChildString(node, 'token');
      if (order === undefined || order.token !== token) throw new IqError(404, 'item-not-found');
      return [orderNode(order)];
    },
  },
};

function requireBusiness(business: BusinessAccount | undefined): BusinessAccount {
  if (business === undefined) throw new IqError(404, 'item-not-found');
  return business;
}

function changeProfile(business: BusinessAccount, node: BinaryNode): void {
  for (const field of TEXTS) {
    const child = getBinaryNodeChild(node, field);
    if (child !== undefined) business.texts.set(field, child.content?.toString() ?? '');
  }
  const websites = getBinaryNodeChildren(node, 'website').map(({ content }) => content?.toString() ?? '');
  if (websites.length > 0) business.websites = websites.filter((address) => address !== '');
  const hours = getBinaryNodeChild(node, 'business_hours');
  if (hours !== undefined) {
    const days = getAllBinaryNodeChildren(hours).map(({ attrs }) => attrs);
    business.hours = { timezone: hours.attrs.timezone ?? '', days };
  }
}

/** A page of a list, which begins after the item that `after` names. */
function page<Item extends { readonly id: string }>(
  all: readonly Item[],
  request: BinaryNode | undefined,
  limitTag: string,
): { shown: readonly Item[]; paging: BinaryNode[] } {
  const after = getBinaryNodeChildString(request, 'after');
  const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const shown = all.slice(start, start + Number(getBinaryNodeChildString(request, limitTag)));
  const last = shown.at(-1);
  const hasMore = last !== undefined && start + shown.length < all.length;
  return {
    shown,
    paging: hasMore ? [{ tag: 'paging', attrs: {}, content: [textNode('after', last.id)] }] : [],
  };
}
