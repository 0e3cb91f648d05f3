import type { BinaryNode } from '@whiskeysockets/baileys';
import type {
  BusinessAccount,
  CatalogCollection,
  CatalogProduct,
  CustomerOrder,
} from './business-account.js';

/** `<tag>text</tag>`. */
export function textNode(tag: string, text: string): BinaryNode {
  return { tag, attrs: {}, content: Buffer.from(text) };
}

/** The same, or nothing without a text. */
function optional(tag: string, text: string | number | undefined): BinaryNode[] {
  return text === undefined || text === '' ? [] : [textNode(tag, String(text))];
}

export function profileNode(
  jid: string,
  { texts, websites, categories, hours }: BusinessAccount,
): BinaryNode {
  const named = categories.map(({ id, name }) => ({
    tag: 'category',
    attrs: { id },
    content: Buffer.from(name),
  }));
  const days = hours?.days.map((attrs) => ({ tag: 'business_hours_config', attrs: { ...attrs } }));
  return {
    tag: 'profile',
    attrs: { jid, tag: '1' },
    content: [
      ...[...texts].flatMap(([tag, text]) => optional(tag, text)),
      ...websites.map((address) => textNode('website', address)),
      ...(named.length === 0 ? [] : [{ tag: 'categories', attrs: {}, content: named }]),
      ...(hours === undefined || days === undefined
        ? []
        : [{ tag: 'business_hours', attrs: { timezone: hours.timezone }, content: days }]),
    ],
  };
}

export function productNode(product: CatalogProduct): BinaryNode {
  const { id, name, description, retailerId, url, price, currency, imageUrl, isHidden } = product;
  const images =
    imageUrl === undefined
      ? []
      : [
          {
            tag: 'image',
            attrs: {},
            content: [textNode('request_image_url', imageUrl), textNode('original_image_url', imageUrl)],
          },
        ];
  return {
    tag: 'product',
    attrs: { is_hidden: String(isHidden ?? false) },
    content: [
      textNode('id', id),
      textNode('name', name),
      ...optional('description', description),
      ...optional('retailer_id', retailerId),
      ...optional('url', url),
      ...optional('price', price),
      ...optional('currency', currency),
      { tag: 'media', attrs: {}, content: images },
      { tag: 'status_info', attrs: {}, content: [textNode('status', 'APPROVED')] },
    ],
  };
}

export function collectionNode({ id, name, products }: CatalogCollection, most: number): BinaryNode {
  const status = { tag: 'status_info', attrs: {}, content: [textNode('status', 'APPROVED')] };
  const shown = products.slice(0, most).map(productNode);
  return {
    tag: 'collection',
    attrs: {},
    content: [textNode('id', id), textNode('name', name), ...shown, status],
  };
}

export function orderNode({ items, currency }: CustomerOrder): BinaryNode {
  const total = items.reduce((sum, { product, quantity }) => sum + (product.price ?? 0) * quantity, 0);
  const ordered = items.map(({ product, quantity }) => ({
    tag: 'product',
    attrs: {},
    content: [
      textNode('id', product.id),
      textNode('name', product.name),
      ...optional('price', product.price),
      textNode('currency', currency),
      textNode('quantity', String(quantity)),
      ...(product.imageUrl === undefined
        ? []
        : [{ tag: 'image', attrs: {}, content: [textNode('url', product.imageUrl)] }]),
    ],
  }));
  const price = {
    tag: 'price',
    attrs: {},
    content: [textNode('total', String(total)), textNode('currency', currency)],
  };
  return { tag: 'order', attrs: {}, content: [...ordered, price] };
}
