const [sessionId, challengeCode] = location.hash.slice(1).split(".");
// The code stays neither in the address bar nor in the history.
history.replaceState(null, "", location.pathname);

const button = document.getElementById("sign-in");
const result = document.getElementById("result");
button.disabled = !challengeCode;
result.textContent = challengeCode ? "" : "This page needs a link with a code. Ask for a new one.";

// A person presses the button; whatever opens links by itself doesn't.
button.addEventListener("click", async () => {
    button.disabled = true;
    const reply = await fetch("/session", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ sessionId, challengeCode }),
    });
    if (reply.ok) {
        location.assign("/");
    } else if (reply.status === 404) {
        result.textContent = "This link was used or is too old. Ask for a new one.";
    } else {
        button.disabled = false;
        result.textContent = "That didn't work. Please try again.";
    }
});
