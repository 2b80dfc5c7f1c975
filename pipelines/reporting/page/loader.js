{
  const ja = document.getElementById("ja"), views = [];
  const speak = (view) => view.signal("ja", ja.checked).runAsync();
  const draw = async (figure) => {
    if (figure.dataset.drawn || !figure.clientWidth) return;
    figure.dataset.drawn = "begun";
    const spec = JSON.parse(figure.querySelector("script").textContent);
    const { view } = await vegaEmbed(figure.querySelector(".chart"), spec, { ast: true, renderer: "svg", actions: false });
    views.push(view);
    await speak(view);
    figure.dataset.drawn = "done";
  };
  const figures = document.querySelectorAll("figure[data-chart]");
  const seen = new IntersectionObserver((all) => all.forEach((one) => one.isIntersecting && draw(one.target)), { rootMargin: "600px" });
  figures.forEach((figure) => seen.observe(figure));
  addEventListener("beforeprint", () => figures.forEach(draw));
  document.getElementById("language").addEventListener("change", () => {
    document.documentElement.lang = ja.checked ? "ja" : "en";
    views.forEach(speak);
  });
}
