import type { Order, Product, ProductCollection } from '@wafleet/contract';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  S_WHATSAPP_NET,
  type WASocket,
} from '@whiskeysockets/baileys';
import { numberIn, textIn } from './read-text.js';

/** How many products of a collection are shown. */
const PRODUCTS_OF_COLLECTION = 10;
/** The size of the pictures that the answer names, pixels. */
const PICTURE_PIXELS = 640;

interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

function textNode(tag: string, text: string | number): BinaryNode {
  return { tag, attrs: {}, content: Buffer.from(String(text)) };
}

const PICTURES = [textNode('width', PICTURE_PIXELS), textNode('height', PICTURE_PIXELS)];

function after(cursor: string | undefined): BinaryNode[] {
  return cursor === undefined ? [] : [textNode('after', cursor)];
}

/** Asks for products of a catalogue. Rejects as Baileys' `query`. */
export function askForProducts(socket: WASocket, jid: string, page: PageRequest): Promise<BinaryNode> {
  const content = [textNode('limit', page.limit), ...PICTURES, ...after(page.cursor)];
  return socket.query({
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, type: 'get', xmlns: 'w:biz:catalog' },
    content: [{ tag: 'product_catalog', attrs: { jid, allow_shop_source: 'true' }, content }],
  });
}

/** Asks for collections of products. Rejects as Baileys' `query`. */
export function askForCollections(socket: WASocket, jid: string, page: PageRequest): Promise<BinaryNode> {
  const content = [
    textNode('collection_limit', page.limit),
    textNode('item_limit', PRODUCTS_OF_COLLECTION),
    ...PICTURES,
    ...after(page.cursor),
  ];
  return socket.query({
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, type: 'get', xmlns: 'w:biz:catalog', smax_id: '35' },
    content: [{ tag: 'collections', attrs: { biz_jid: jid }, content }],
  });
}

/** Asks for the products of an order. Rejects as Baileys' `query`. */
export function askForOrder(socket: WASocket, id: string, token: string): Promise<BinaryNode> {
  const content = [{ tag: 'image_dimensions', attrs: {}, content: PICTURES }, textNode('token', token)];
  return socket.query({
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, type: 'get', xmlns: 'fb:thrift_iq', smax_id: '5' },
    content: [{ tag: 'order', attrs: { op: 'get', id }, content }],
  });
}

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor?: string;
}

function toPage<Item>(list: BinaryNode | undefined, items: Item[]): Page<Item> {
  const cursor = textIn(getBinaryNodeChild(list, 'paging'), 'after');
  return cursor === null || items.length === 0 ? { items } : { items, nextCursor: cursor };
}

export function readProducts(answer: BinaryNode): Page<Product> {
  const catalog = getBinaryNodeChild(answer, 'product_catalog');
  const items = getBinaryNodeChildren(catalog, 'product').map((node) => ({
    ...toProduct(node),
    description: textIn(node, 'description'),
    url: textIn(node, 'url'),
  }));
  return toPage(catalog, items);
}

export function readCollections(answer: BinaryNode): Page<ProductCollection> {
  const collections = getBinaryNodeChild(answer, 'collections');
  const items = getBinaryNodeChildren(collections, 'collection').map((node) => ({
    id: textIn(node, 'id') ?? '',
    name: textIn(node, 'name') ?? '',
    products: getBinaryNodeChildren(node, 'product').slice(0, PRODUCTS_OF_COLLECTION).map(toProduct),
  }));
  return toPage(collections, items);
}

/** Baileys writes `NaN` for a price that is missing. */
function toProduct(node: BinaryNode): ProductCollection['products'][number] {
  const image = getBinaryNodeChild(getBinaryNodeChild(node, 'media'), 'image');
  return {
    id: textIn(node, 'id') ?? '',
    name: textIn(node, 'name') ?? '',
    priceAmount1000: numberIn(node, 'price'),
    currencyCode: textIn(node, 'currency'),
    retailerId: textIn(node, 'retailer_id'),
    imageUrl: textIn(image, 'request_image_url') ?? textIn(image, 'original_image_url'),
    isHidden: node.attrs.is_hidden === 'true',
  };
}

export function readOrder(answer: BinaryNode): Order {
  const order = getBinaryNodeChild(answer, 'order');
  const price = getBinaryNodeChild(order, 'price');
  return {
    totalAmount1000: numberIn(price, 'total'),
    currencyCode: textIn(price, 'currency'),
    products: getBinaryNodeChildren(order, 'product').map((node) => ({
      id: textIn(node, 'id') ?? '',
      name: textIn(node, 'name') ?? '',
      priceAmount1000: numberIn(node, 'price'),
      currencyCode: textIn(node, 'currency'),
      imageUrl: textIn(getBinaryNodeChild(node, 'image'), 'url'),
      quantity: numberIn(node, 'quantity'),
    })),
  };
}
