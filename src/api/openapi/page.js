const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
let components = {};
// What is referred to, in its place.
const whole = (_, value) => {
  const name = value?.$ref?.match(/^#\/components\/(\w+)\/(\w+)$/);
  return name ? components[name[1]][name[2]] : value;
};
const show = (method, path, operation) => {
  const details = element("details"), summary = element("summary");
  summary.append(element("code", method.toUpperCase(), "method"), element("code", path));
  if (operation.summary) summary.append(element("span", operation.summary, "what"));
  details.append(summary);
  const body = operation.requestBody?.content["application/json"];
  const parts = { parameters: operation.parameters, body: body?.schema, example: body?.example, answers: operation.responses };
  for (const [name, part] of Object.entries(parts)) {
    if (part) details.append(element("h3", name), element("pre", JSON.stringify(part, whole, 2)));
  }
  details.dataset.text = `${method} ${path} ${operation.summary ?? ""}`.toLowerCase();
  return details;
};
const main = document.getElementById("operations");
fetch("openapi.json").then((answer) => answer.json()).then((api) => {
  components = api.components;
  const sections = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (method === "head") continue;
      const name = operation.tags[0].replaceAll("_", " ");
      if (!sections.has(name)) sections.set(name, []);
      sections.get(name).push(show(method, path, operation));
    }
  }
  main.textContent = "";
  for (const [name, operations] of [...sections].sort()) {
    const section = element("section");
    section.append(element("h2", name), ...operations);
    main.append(section);
  }
}, () => { main.textContent = "The description could not be loaded."; });
document.getElementById("wanted").addEventListener("input", ({ target }) => {
  const wanted = target.value.toLowerCase();
  for (const one of document.querySelectorAll("details")) one.hidden = !one.dataset.text.includes(wanted);
  for (const one of document.querySelectorAll("section")) one.hidden = !one.querySelector("details:not([hidden])");
});
