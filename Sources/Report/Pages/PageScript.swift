/// What makes a page handier where scripts run; nothing needs it, and it loads nothing.
///
/// Series are switched by their entry in a legend, tables are sorted by a click on a heading.
enum PageScript {
  static let text = """
    (()=>{"use strict";
    const press=(e,f)=>{e.style.cursor="pointer";e.tabIndex=0;e.addEventListener("click",f);
    e.addEventListener("keydown",k=>{if(k.key==="Enter"||k.key===" "){k.preventDefault();f()}})};
    document.querySelectorAll("svg g[data-legend]").forEach(g=>press(g,()=>{
    const off=g.style.opacity==="";g.style.opacity=off?".35":"";
    g.closest("svg").querySelectorAll('[data-series="'+g.dataset.legend+'"]').forEach(m=>{
    m.style.display=off?"none":""})}));
    const value=c=>{const t=c.textContent.trim();if(t==='-'||t==='')return null;
    if(t==="none")return Infinity;
    const d=t.match(/^(\\d+):(\\d\\d):(\\d\\d)$/);if(d)return d[1]*3600+d[2]*60+d[3]*1;
    const n=t.match(/^[\\x3c=~×\\s]*([+-]?\\d[\\d.]*(?:e[+-]?\\d+)?)/);return n?Number(n[1]):t};
    document.querySelectorAll("table").forEach(t=>{const b=t.tBodies[0];if(!t.tHead||!b)return;
    const row=t.tHead.rows[t.tHead.rows.length-1];
    [...row.cells].forEach((h,i)=>{let down=false;press(h,()=>{down=!down;
    [...row.cells].forEach(c=>c.removeAttribute("aria-sort"));
    h.setAttribute("aria-sort",down?"descending":"ascending");
    const cell=r=>value(r.cells[i]);
    [...b.rows].sort((p,q)=>{const x=cell(p),y=cell(q);
    if(x===null||y===null)return (x===null)-(y===null);
    const c=typeof x==="number"&&typeof y==="number"?x-y||0:String(x).localeCompare(String(y));
    return down?-c:c}).forEach(r=>b.appendChild(r))})})})})();
    """
}
