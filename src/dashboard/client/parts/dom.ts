type Child = Node | string | null;

interface Attributes {
  readonly [name: string]: string | number | boolean | undefined;
}

/** Sets attributes; `false` and `undefined` take one away, `true` sets it empty. */
function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/**
 * Makes an element. Text becomes a text node, never markup: names and numbers come from strangers. Every page shows them through
 * this function only.
 */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The same for an element of SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A stranger's text, isolated so that right-to-left writing does not reorder what is around it. */
export function foreign(text: string): HTMLElement {
  return el('bdi', {}, text);
}
