import type { EVENT_TYPES } from "../shop_events.ts";
import type { Catalog } from "./create_catalog.ts";
import type { Session } from "./find_sessions.ts";
import type { Prng } from "./prng.ts";
import type { Profile } from "./profile.ts";

/** What the user does at one point of a session. */
export interface Step {
  type: typeof EVENT_TYPES[number];
  /** Index into the catalogue. */
  product: number;
  quantity: number;
  /** Epoch milliseconds, whole. */
  time: number;
}

/** Where a session takes place, and its random numbers. */
interface Setting {
  profile: Profile;
  catalog: Catalog;
  prng: Prng;
}

/**
 * Walks a user through the funnel: view, add to cart, remove from it, buy. Every session begins with
 * a view; what is added has been viewed, what is removed was in the cart, and an order buys the
 * cart, one line a product, all lines at one time.
 *
 * @param session When, for how long, and how many steps.
 * @param setting The shop, and where random numbers come from.
 * @returns As many steps as the session has, in order of time.
 */
export function walkSession(session: Session, setting: Setting): Step[] {
  const { size } = session;
  const { profile, prng } = setting;
  let { additions, takeBacks, buys } = drawIntent(session, profile, prng);
  let current = setting.catalog.popular.pick(prng.uniform());
  const seen = [current];
  const cart = new Map<number, number>();
  const steps: Step[] = [step("product_view", current)];
  while (steps.length < size) {
    // Taking back must leave something to buy.
    const mayTakeBack = cart.size > (buys && additions === 0 ? 1 : 0);
    if (additions === 0 && !mayTakeBack) takeBacks = 0;
    const lines = buys ? Math.max(1, cart.size + additions - takeBacks) : 0;
    const views = Math.max(0, size - steps.length - additions - takeBacks - lines);
    const canBuy = buys && additions === 0 && takeBacks === 0;
    const others = additions + (mayTakeBack ? takeBacks : 0) + (canBuy ? 1 : 0);
    const choice = others === 0 ? 0 : prng.below(views + others);
    if (others === 0 || choice < views) {
      current = nextProduct(seen, current, setting);
      seen.push(current);
      steps.push(step("product_view", current));
    } else if (choice < views + additions) {
      const quantity = drawQuantity(setting);
      cart.set(current, (cart.get(current) ?? 0) + quantity);
      steps.push(step("add_to_cart", current, quantity));
      additions--;
    } else if (!canBuy) {
      const product = [...cart.keys()][prng.below(cart.size)]!;
      steps.push(step("remove_from_cart", product, cart.get(product)!));
      cart.delete(product);
      takeBacks--;
    } else {
      if (cart.size === 0) cart.set(current, drawQuantity(setting));
      for (const [product, quantity] of [...cart].slice(0, size - steps.length)) {
        steps.push(step("purchase", product, quantity));
      }
      buys = false;
    }
  }
  setTimes(steps, session, prng);
  return steps;
}

function step(type: Step["type"], product: number, quantity = 1): Step {
  return { type, product, quantity, time: 0 };
}

/** How often the user will add and take back, and whether he buys: as much as fits the size. */
function drawIntent({ size, sessionClass }: Session, { cart }: Profile, prng: Prng) {
  const hasCart = prng.uniform() < sessionClass.cart;
  const chance = hasCart ? sessionClass.buyFromCart : sessionClass.buyDirectly;
  const buys = prng.uniform() < chance && size > (hasCart ? 2 : 1);
  if (!hasCart || size === 1) return { additions: 0, takeBacks: 0, buys };

  const room = size - 1 - (buys ? 1 : 0);
  let additions = 1;
  while (additions < Math.floor((room + 1) / 2) && prng.uniform() < cart.addMore) additions++;
  let takeBacks = 0;
  for (let kept = buys ? 1 : 0; kept < additions; kept++) {
    if (takeBacks < room - additions && prng.uniform() < cart.takeBack) takeBacks++;
  }
  return { additions, takeBacks, buys };
}

function nextProduct(
  seen: readonly number[],
  current: number,
  { profile: { browsing }, catalog, prng }: Setting,
): number {
  const how = prng.uniform();
  if (how < browsing.seenAgain) return seen[prng.below(seen.length)]!;
  if (how < browsing.seenAgain + browsing.sameCategory) {
    const { products, popular } = catalog.members[catalog.groups[current]!]!;
    return products[popular.pick(prng.uniform())]!;
  }
  return catalog.popular.pick(prng.uniform());
}

function drawQuantity({ profile: { cart }, prng }: Setting): number {
  let quantity = 1;
  while (quantity < 20 && prng.uniform() < cart.anotherPiece) quantity++;
  return quantity;
}

/** Divides the session's duration among its steps by exponential think times. */
function setTimes(steps: readonly Step[], { start, durationMs }: Session, prng: Prng): void {
  let thoughts = 0;
  for (let index = 0; index < steps.length; index++) {
    const { type } = steps[index]!;
    const laterLine = type === "purchase" && steps[index - 1]!.type === "purchase";
    if (index > 0 && !laterLine) thoughts += prng.exponential();
    steps[index]!.time = thoughts;
  }
  const pace = thoughts === 0 ? 0 : durationMs / thoughts;
  for (const each of steps) each.time = start + Math.floor(each.time * pace);
}
