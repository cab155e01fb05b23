// Two steps, twice: ask the console for options, hand them to the passkey, send its answer back.
"use strict";

const said = document.getElementById("said");

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(`${value.error}. ${value.hint ?? ""}`);
  return value;
}

function onSubmit(form, act) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "Waiting for the passkey ...";
    try {
      said.textContent = await act(form, event.submitter?.value);
    } catch (error) {
      said.textContent = error.message || String(error);
    }
  });
}

onSubmit(document.getElementById("vote"), async (form, verdict) => {
  const path = `/requests/${form.dataset.request}`;
  const person = form.elements.person.value;
  const reason = form.elements.reason.value;
  if (verdict === "deny" && !reason.trim()) throw new Error("A denial says why.");
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(await post(`${path}/options`, { person, verdict, reason }));
  const credential = await navigator.credentials.get({ publicKey: options });
  const done = await post(`${path}/vote`, { person, verdict, reason, answer: JSON.stringify(credential.toJSON()) });
  form.remove();
  return `Recorded as entry ${done.entry}: the request is ${done.state}.`;
});

onSubmit(document.getElementById("register"), async (form) => {
  const path = `/people/${form.dataset.person}`;
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(await post(`${path}/options`, {}));
  const credential = await navigator.credentials.create({ publicKey: options });
  await post(`${path}/passkey`, { answer: JSON.stringify(credential.toJSON()) });
  return "The passkey is registered.";
});
