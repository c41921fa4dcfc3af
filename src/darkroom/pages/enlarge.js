const large = document.getElementById("large");
document.addEventListener("click", event => {
  if (event.target === large) large.close();
  if (!event.target.matches("figure img")) return;
  const [image, text] = [large.querySelector("img"), large.querySelector("p")];
  image.src = event.target.src;
  image.className = event.target.className;
  text.textContent = [event.target.title, event.target.parentNode.innerText.trim()].join("\n");
  large.showModal();
});
for (const image of document.querySelectorAll("figure img")) {
  if (image.naturalWidth && Math.max(image.naturalWidth, image.naturalHeight) <= 64) image.classList.add("tiny");
}
